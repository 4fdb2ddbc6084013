import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LoadedSequence } from './read-sequence.ts'

/** Where a blob's bytes are. */
export interface Location {
  readonly file: string
  readonly offset: number
  readonly size: number
  readonly mediaType: string
  readonly sequence: number
}

/**
 * Every blob that the archives of these sequences hold, by digest; of two holders the newest. An archive that is not
 * there, or has another size than the metadata says, holds nothing.
 */
export async function locateBlobs(
  sequences: readonly LoadedSequence[],
): Promise<ReadonlyMap<string, Location>> {
  const locations = new Map<string, Location>()
  for (const { shipment, metadata, blobs } of [...sequences].sort(
    (a, b) => a.metadata.sequence_number - b.metadata.sequence_number,
  )) {
    const present = new Set<string>()
    for (const archive of metadata.archives) {
      const found = await lstat(join(shipment.directory, archive.name)).catch(() => undefined)
      if (found?.isFile() && found.size === archive.size_bytes) present.add(archive.name)
    }
    for (const blob of blobs) {
      if (!('archive' in blob) || !present.has(blob.archive)) continue
      locations.set(blob.digest, {
        file: join(shipment.directory, blob.archive),
        offset: blob.offset,
        size: blob.size,
        mediaType: blob.media_type,
        sequence: metadata.sequence_number,
      })
    }
  }
  return locations
}
