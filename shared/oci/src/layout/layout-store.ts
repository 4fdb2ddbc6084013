import { CarryallError } from '@carryall/errors'
import { isDigest } from '@carryall/schemas'
import type { Destination } from '../store.ts'
import type { IndexFile } from './index-file.ts'
import type { LayoutBlobs } from './layout-blobs.ts'
import { layoutDestination } from './layout-destination.ts'
import { dropped, untagged } from './layout-index.ts'
import { findManifest } from './layout-source.ts'
import { ManifestFacts } from './manifest-facts.ts'
import { refuseContained } from './refusals.ts'
import type { BlobPlaces, BlobStaging, ManifestDeleter } from './serving.ts'
import { shelfOf } from './shelf.ts'

export type LayoutStore = Destination & BlobPlaces & BlobStaging & ManifestDeleter

export interface LayoutFiles {
  readonly directory: string
  readonly stagingDirectory: string
  readonly index: IndexFile
  readonly blobs: LayoutBlobs
  /** Releases the lock; absent where the layout is open for reading only. */
  readonly release?: () => Promise<void>
}

/** A store over the files of a layout. What index.json names is there, and what an index below it contains. */
export function layoutStore({
  directory,
  stagingDirectory,
  index,
  blobs,
  release,
}: LayoutFiles): LayoutStore {
  const writable = (): void => {
    if (release === undefined)
      throw new CarryallError('OUTPUT_NOT_WRITABLE', `The OCI layout "${directory}" is open for reading only`)
  }
  const facts = new ManifestFacts(blobs)
  const parts = { name: directory, index, blobs, facts, writable }

  return {
    ...layoutDestination(parts),
    stagingDirectory,

    blobPlace: (_repository, digest) => blobs.place(digest),

    async commitStaged(blob, file) {
      writable()
      return blobs.adopt(blob, file)
    },

    async deleteManifest(repository, reference, signal) {
      writable()
      const found = await findManifest(parts, repository, reference, signal)
      if (found === undefined) return false
      if (!isDigest(reference)) await index.edit((before) => untagged(before, repository, reference))
      else {
        await refuseContained(facts, shelfOf(await index.read(), repository).roots, found)
        await index.edit((before) => dropped(before, repository, reference))
      }
      return true
    },

    async close() {
      await index.settled()
      await release?.()
    },
  }
}
