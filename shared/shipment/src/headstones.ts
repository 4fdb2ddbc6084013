import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  commitFile,
  ensureDirectory,
  publishDirectory,
  removeOrphans,
  removeTree,
  syncDirectory,
} from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'
import { readChain } from './chain.ts'
import { readSmall } from './metadata-file.ts'
import type { Shipment } from './read-shipment.ts'
import { SIGNATURE, SUMS_FILE } from './sums.ts'

/**
 * What a content directory knows of shipments beside those that are in it: `headstones` of what landed here, so that it
 * stays known when its content is removed, and `passed`, of which only the metadata was carried. Each is a directory with
 * the metadata, the sums and the signatures.
 */
export type HeadstoneKind = 'headstones' | 'passed'

/** The headstones of a content directory, by number. */
export async function readHeadstones(
  content: string,
  kind: HeadstoneKind,
  read?: (directory: string) => Promise<Shipment>,
): Promise<readonly Shipment[]> {
  const place = join(content, '.carryall', kind)
  try {
    await readdir(place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw fromSystemError(error, `read ${place}`)
  }
  return readChain(place, read)
}

/**
 * Everything that a content directory knows, each once, by number: shipments in it, headstones, what passed by. `read` may
 * know some of them already.
 */
export async function readKnown(
  content: string,
  read?: (directory: string) => Promise<Shipment>,
): Promise<readonly Shipment[]> {
  const known = new Map<string, Shipment>()
  for (const shipment of [
    ...(await readChain(content, read)),
    ...(await readHeadstones(content, 'headstones', read)),
    ...(await readHeadstones(content, 'passed', read)),
  ])
    if (!known.has(shipment.metadataDigest)) known.set(shipment.metadataDigest, shipment)
  return [...known.values()].sort((a, b) => a.metadata.sequence_number - b.metadata.sequence_number)
}

/**
 * Writes a headstone by one rename, under the lock of the content directory. What is there under the name is replaced only
 * if it is another one.
 */
export async function writeHeadstone(
  content: string,
  kind: HeadstoneKind,
  name: string,
  files: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const place = join(content, '.carryall', kind)
  await ensureDirectory(place)
  await removeOrphans(place)
  // A run that was killed may have given it its name without a sync.
  if (await holds(join(place, name), files)) {
    return syncDirectory(place).catch((error: unknown) =>
      Promise.reject(fromSystemError(error, `sync ${place}`)),
    )
  }
  const staged = join(place, `.${name}`)
  await removeTree(staged)
  await ensureDirectory(staged)
  for (const [file, bytes] of files) await commitFile(join(staged, file), bytes, { sync: false })
  await removeTree(join(place, name))
  await publishDirectory(staged, join(place, name))
}

async function holds(directory: string, files: ReadonlyMap<string, Buffer>): Promise<boolean> {
  for (const [file, bytes] of files) {
    const found = await readSmall(join(directory, file)).catch(() => undefined)
    if (!found?.equals(bytes)) return false
  }
  return true
}

/** The small files of a shipment that make its headstone. */
export async function headstoneFiles(
  shipment: Pick<Shipment, 'directory' | 'metadataFile'>,
): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await readdir(shipment.directory)).filter((name) => SIGNATURE.test(name)).sort()
  const files = new Map<string, Buffer>()
  for (const name of [shipment.metadataFile, SUMS_FILE, ...names])
    files.set(basename(name), await readSmall(join(shipment.directory, name)))
  return files
}
