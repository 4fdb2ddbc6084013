import { isDigest, type Descriptor } from '@carryall/schemas'
import { parseManifest } from '../manifest.ts'
import type { Source } from '../store.ts'
import type { BlobReader } from './blob-reader.ts'
import type { LayoutIndex } from './layout-index.ts'
import type { ManifestFacts } from './manifest-facts.ts'
import { unknownManifest } from './refusals.ts'
import { shelfOf, shelves } from './shelf.ts'

/** What a layout is read from. */
export interface LayoutParts {
  /** The directory or file, for messages. */
  readonly name: string
  /** index.json as it is now: the same object as long as it is the same. */
  readonly index: { read(): Promise<LayoutIndex> }
  readonly blobs: BlobReader
  readonly facts: ManifestFacts
}

/** The manifest that a reference means: what index.json names in this repository, and what an index below that contains. */
export async function findManifest(
  { index, facts }: LayoutParts,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  const { tags, digests, roots } = shelfOf(await index.read(), repository)
  if (!isDigest(reference)) return tags.get(reference)
  return digests.get(reference) ?? (await facts.below(roots, signal)).get(reference)
}

/** Reads a layout, wherever its index and its blobs are. Blobs are shared by all repositories. */
export function layoutSource(parts: LayoutParts): Source {
  const { name, index, blobs, facts } = parts
  return {
    async head(repository, reference, signal) {
      const found = await findManifest(parts, repository, reference, signal)
      return found !== undefined && (await blobs.size(found.digest)) === found.size ? found : undefined
    },

    async manifest(repository, reference, signal) {
      const found = await findManifest(parts, repository, reference, signal)
      if (found === undefined || (await blobs.size(found.digest)) === undefined)
        throw unknownManifest(name, repository, reference)
      const bytes = await facts.bytes(found, signal)
      parseManifest(bytes, found.mediaType)
      return { digest: found.digest, mediaType: found.mediaType, bytes }
    },

    blob: (_repository, blob, offset, signal) => blobs.read(blob.digest, offset, signal),

    referrers: async (repository, digest, signal) =>
      facts.referrers(shelfOf(await index.read(), repository).roots, digest, signal),

    async *tags(repository) {
      yield* [...shelfOf(await index.read(), repository).tags.keys()].sort()
    },

    async *repositories() {
      yield* [...shelves(await index.read()).keys()].sort()
    },
  }
}
