import { parseManifest } from '../manifest.ts'
import { movedTag } from '../moved-tag.ts'
import type { Destination } from '../store.ts'
import type { BlobWriter } from './blob-reader.ts'
import type { IndexFile } from './index-file.ts'
import { named, untagged } from './layout-index.ts'
import { layoutSource, type LayoutParts } from './layout-source.ts'
import { refuseMisnamed, refuseMissing } from './refusals.ts'
import { shelfOf } from './shelf.ts'

/** What a layout is read from and written to. */
export interface WritableParts extends LayoutParts {
  readonly index: IndexFile
  readonly blobs: BlobWriter
  /** Throws where the layout is open for reading only. */
  writable(): void
}

/** Reads and writes a layout. A tag that is deleted leaves its manifest, if that has to stay. */
export function layoutDestination(parts: WritableParts): Omit<Destination, 'close'> {
  const { index, blobs, writable } = parts
  return {
    ...layoutSource(parts),

    hasBlob: async (_repository, digest) => (await blobs.size(digest)) !== undefined,

    async putBlob(_repository, blob, open) {
      writable()
      return blobs.write(blob, open)
    },

    async putManifest(repository, reference, manifest) {
      writable()
      const { digest, mediaType, bytes } = manifest
      refuseMisnamed(repository, reference, manifest)
      const content = parseManifest(bytes, mediaType)
      await refuseMissing(blobs, digest, content)
      const { artifactType } = content
      const descriptor = {
        mediaType,
        digest,
        size: bytes.length,
        ...(artifactType ? { artifactType } : {}),
      }
      await blobs.write(descriptor, () => once(bytes))
      await index.edit((before) => named(before, repository, reference, descriptor))
    },

    async deleteTag(repository, tag, digest, { manifestMayGo = false } = {}) {
      writable()
      let found: string | undefined
      // Looked at within the edit: nobody moves the tag in between.
      await index.edit((before) => {
        found = shelfOf(before, repository).tags.get(tag)?.digest
        return found === digest ? untagged(before, repository, tag, manifestMayGo) : before
      })
      if (found === undefined) return 'absent'
      if (found !== digest) throw movedTag(parts.name, repository, tag, digest, found)
      return 'deleted'
    },
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
