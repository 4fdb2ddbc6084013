import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  acquireLock,
  ensureDirectory,
  publishDirectory,
  removeOrphans,
  removeTree,
  syncDirectory,
} from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { checkLinks, readChain } from './chain.ts'
import { checkHead, readHead, writeHead } from './head.ts'
import { readShipment, type Shipment } from './read-shipment.ts'

/** A content directory held by this process: one chain, one writer. */
export interface ContentWriter {
  readonly path: string
  /** By number. */
  readonly shipments: readonly Shipment[]
  /** Directory in which a run keeps what is not published yet, on the same file system. Made if it is not there. */
  staging(id: string): Promise<string>
  /** Other runs' staging directories, oldest name first: content in them can be used again. */
  leftovers(id: string): Promise<readonly string[]>
  /** Makes a staging directory one of the leftovers, so that its id begins anew. Nothing where there is none. */
  retire(id: string): Promise<void>
  discard(stagingDirectory: string): Promise<void>
  /** Makes a staged directory the shipment `name` by one rename, once everything in it is durable. */
  publish(staged: string, name: string): Promise<Shipment>
  close(): Promise<void>
}

export interface WriterOptions {
  readonly holder: string
  readonly waitSeconds: number
  readonly takeOver?: boolean
  readonly signal?: AbortSignal
}

/**
 * Takes the lock and proves that this is the chain's own directory. Throws LOCK_HELD (75), SEQ_COPIED, SEQ_ROLLBACK,
 * SEQ_FORK, SEQ_GAP, SEQ_WRONG_CHAIN (81), and what reading shipments throws.
 */
export async function openContent(directory: string, options: WriterOptions): Promise<ContentWriter> {
  const path = resolve(directory)
  const own = join(path, '.carryall')
  await ensureDirectory(join(own, 'staging'))
  const lock = await acquireLock(join(own, 'lock'), {
    holder: options.holder,
    waitSeconds: options.waitSeconds,
    ...(options.signal ? { signal: options.signal } : {}),
  })
  // It is free with its descriptor, whatever closing the file says; there is nothing in it to lose.
  const release = (): Promise<void> => lock.release().catch(() => undefined)
  try {
    // A run that was cut right after its rename may have left a shipment that a power cut would still take away.
    await syncDirectory(path).catch((error: unknown) =>
      Promise.reject(fromSystemError(error, `sync ${path}`)),
    )
    // Under the lock nobody else has temporary files here.
    for (const place of [path, own, join(own, 'staging')]) await removeOrphans(place)
    const shipments = await readChain(path)
    refuseBroken(path, shipments)
    const head = options.takeOver ? undefined : await readHead(path)
    if (!options.takeOver) await checkHead(path, head, shipments)
    await writeHead(path, shipments.at(-1))
    return writer(path, own, shipments, release)
  } catch (error) {
    await release()
    throw error
  }
}

function writer(
  path: string,
  own: string,
  shipments: readonly Shipment[],
  release: () => Promise<void>,
): ContentWriter {
  const stagingRoot = join(own, 'staging')
  const stagings = async (): Promise<readonly string[]> => {
    try {
      return await readdir(stagingRoot)
    } catch (error) {
      throw fromSystemError(error, `read ${stagingRoot}`)
    }
  }
  return {
    path,
    shipments,
    async staging(id) {
      const directory = join(stagingRoot, id)
      await ensureDirectory(directory)
      await removeOrphans(directory)
      return directory
    },
    async leftovers(id) {
      const names = await stagings()
      return names
        .filter((name) => name !== id && !name.startsWith('.'))
        .sort()
        .map((name) => join(stagingRoot, name))
    },
    async retire(id) {
      const names = await stagings()
      if (!names.includes(id)) return
      let number = 1
      while (names.includes(`${id}-${number}`)) number++
      try {
        await publishDirectory(join(stagingRoot, id), join(stagingRoot, `${id}-${number}`))
      } catch (error) {
        // Where a sync failed the cache may show what the disk never got, and no later sync would tell.
        await removeTree(join(stagingRoot, id)).catch(() => undefined)
        throw error
      }
    },
    discard: removeTree,
    async publish(staged, name) {
      await publishDirectory(staged, join(path, name))
      const shipment = await readShipment(join(path, name))
      await writeHead(path, shipment)
      return shipment
    },
    close: release,
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
