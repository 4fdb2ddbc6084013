import { join, resolve } from 'node:path'
import { publishDirectory } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import { checkLinks, readChain } from './chain.ts'
import { checkHead, readHead, writeHead } from './head.ts'
import { holdContent, type HoldOptions } from './hold-content.ts'
import { readShipment, type Shipment } from './read-shipment.ts'
import { stagingOf, type Staging } from './staging.ts'

/** A content directory held by this process: one chain, one writer. */
export interface ContentWriter extends Staging {
  readonly path: string
  /** By number. */
  readonly shipments: readonly Shipment[]
  /** Makes a staged directory the shipment `name` by one rename, once everything in it is durable. */
  publish(staged: string, name: string): Promise<Shipment>
  close(): Promise<void>
}

export interface WriterOptions extends HoldOptions {
  readonly takeOver?: boolean
}

/**
 * Takes the lock and proves that this is the chain's own directory. Throws LOCK_HELD (75), SEQ_COPIED, SEQ_ROLLBACK,
 * SEQ_FORK, SEQ_GAP, SEQ_WRONG_CHAIN (81), and what reading shipments throws.
 */
export async function openContent(directory: string, options: WriterOptions): Promise<ContentWriter> {
  const path = resolve(directory)
  const release = await holdContent(path, options)
  try {
    const shipments = await readChain(path)
    refuseBroken(path, shipments)
    const head = options.takeOver ? undefined : await readHead(path)
    if (!options.takeOver) await checkHead(path, head, shipments)
    await writeHead(path, shipments.at(-1))
    return {
      ...stagingOf(path),
      path,
      shipments,
      async publish(staged, name) {
        await publishDirectory(staged, join(path, name))
        const shipment = await readShipment(join(path, name))
        await writeHead(path, shipment)
        return shipment
      },
      close: release,
    }
  } catch (error) {
    await release()
    throw error
  }
}

function refuseBroken(path: string, shipments: readonly Shipment[]): void {
  const fault = checkLinks(shipments)[0]
  if (fault !== undefined) throw fault
  const first = shipments[0]
  if (first !== undefined && first.metadata.sequence_number !== 1) {
    throw new CarryallError(
      'SEQ_GAP',
      `${path} begins with number ${first.metadata.sequence_number}: the chain cannot be continued here`,
      {
        hint: 'Continue it where number 1 is, or begin a chain in an empty directory',
      },
    )
  }
}
