import { join, resolve } from 'node:path'
import { publishDirectory } from '@carryall/durable'
import { readChain } from './chain.ts'
import { checkHead, readHead, writeHead } from './head.ts'
import { headstoneFiles, readHeadstones, readKnown, writeHeadstone } from './headstones.ts'
import { holdContent, type HoldOptions } from './hold-content.ts'
import { readShipment, type Shipment } from './read-shipment.ts'
import { stagingOf, type Staging } from './staging.ts'

/** A content directory on the far side, held by this process: shipments land in it, and stay known when they are removed. */
export interface LandingDirectory extends Staging {
  readonly path: string
  /** Records a shipment of which only the metadata was carried, as a link of the chain. */
  pass(name: string, files: ReadonlyMap<string, Buffer>): Promise<void>
  /** Makes a staged directory the shipment `name` by one rename, once everything in it is durable, then writes its headstone. */
  land(staged: string, name: string): Promise<Shipment>
  close(): Promise<void>
}

export interface LandingOptions extends HoldOptions {
  /** Go on in a copied or restored directory, or one whose head is lost. */
  readonly takeOver?: boolean
}

/**
 * Takes the lock and proves that this directory is the one that was written last. Shipments that a killed run published
 * without a headstone get theirs. Throws LOCK_HELD (75), SEQ_COPIED, SEQ_ROLLBACK, SEQ_FORK (81).
 */
export async function openLanding(directory: string, options: LandingOptions): Promise<LandingDirectory> {
  const path = resolve(directory)
  const release = await holdContent(path, options)
  try {
    const { landed } = await readLanded(path)
    if (!options.takeOver) await checkHead(path, await readHead(path), landed, true)
    await writeMissingHeadstones(path)
    await writeHead(path, landed.at(-1))
    return {
      ...stagingOf(path),
      path,
      pass: (name, files) => writeHeadstone(path, 'passed', name, files),
      async land(staged, name) {
        await publishDirectory(staged, join(path, name))
        const shipment = await readShipment(join(path, name))
        await writeHeadstone(path, 'headstones', name, await headstoneFiles(shipment))
        await writeHead(path, (await readHeadstones(path, 'headstones')).at(-1))
        return shipment
      },
      close: release,
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** What a far side has of a chain: in the directory, ever landed there, and known at all; each by number. Reads only. */
export async function readLanded(
  directory: string,
): Promise<Readonly<Record<'here' | 'landed' | 'known', readonly Shipment[]>>> {
  const known = await readKnown(directory)
  const here = await readChain(directory)
  const landed = new Set([...here, ...(await readHeadstones(directory, 'headstones'))].map(digestOf))
  return { here, landed: known.filter((shipment) => landed.has(digestOf(shipment))), known }
}

async function writeMissingHeadstones(path: string): Promise<void> {
  const written = new Set((await readHeadstones(path, 'headstones')).map(digestOf))
  for (const shipment of await readChain(path))
    if (!written.has(shipment.metadataDigest))
      await writeHeadstone(path, 'headstones', shipment.metadata.name, await headstoneFiles(shipment))
}

const digestOf = (shipment: Shipment): string => shipment.metadataDigest
