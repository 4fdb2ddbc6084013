import { resolve } from 'node:path'
import { layoutSource } from '../layout/layout-source.ts'
import { ManifestFacts } from '../layout/manifest-facts.ts'
import type { BlobPlaces } from '../layout/serving.ts'
import { openArchiveFile } from './archive-file.ts'
import { archiveRepository } from './archive-repository.ts'
import type { ArchiveSource } from './archive-store.ts'

/**
 * Opens an OCI archive, an uncompressed tar with an OCI image layout in it, as a source: nothing is unpacked, blobs are read
 * where they are. Its repositories and tags are told apart as those of `openLayout`; a plain `tag` belongs to
 * `archiveRepository(file)`. What is open stays as it was when another program replaces the file.
 * Throws what `openArchiveFile` throws.
 */
export async function openArchive(file: string): Promise<ArchiveSource & BlobPlaces> {
  const name = resolve(file)
  const { index, blobs, close } = await openArchiveFile(name, archiveRepository(name))
  const facts = new ManifestFacts(blobs)
  return {
    ...layoutSource({ name, index: { read: async () => index }, blobs, facts }),
    blobPlace: (_repository, digest) => blobs.place(digest),
    close,
  }
}
