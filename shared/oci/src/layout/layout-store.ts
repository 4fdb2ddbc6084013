import { CarryallError } from '@carryall/errors'
import { isDigest, type Descriptor } from '@carryall/schemas'
import { parseManifest } from '../manifest.ts'
import type { BlobOutcome, Destination } from '../store.ts'
import type { IndexFile } from './index-file.ts'
import type { LayoutBlobs } from './layout-blobs.ts'
import { dropped, named, untagged, type Entry } from './layout-index.ts'
import { ManifestFacts } from './manifest-facts.ts'
import { refuseContained, refuseMisnamed, refuseMissing, unknownManifest } from './refusals.ts'
import type { BlobPlaces, BlobStaging, ManifestDeleter } from './serving.ts'

export type LayoutStore = Destination & BlobPlaces & BlobStaging & ManifestDeleter

export interface LayoutParts {
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
}: LayoutParts): LayoutStore {
  const facts = new ManifestFacts(blobs)

  const entriesOf = async (repository: string): Promise<readonly Entry[]> =>
    (await index.read()).entries.filter((entry) => entry.repository === repository)

  const find = async (
    repository: string,
    reference: string,
    signal?: AbortSignal,
  ): Promise<Descriptor | undefined> => {
    const entries = await entriesOf(repository)
    if (!isDigest(reference)) return entries.find((entry) => entry.tag === reference)?.descriptor
    const direct = entries.find((entry) => entry.descriptor.digest === reference)
    if (direct !== undefined) return direct.descriptor
    for await (const descriptor of facts.reachable(
      entries.map((entry) => entry.descriptor),
      signal,
    )) {
      if (descriptor.digest === reference) return descriptor
    }
    return undefined
  }

  const writable = (): void => {
    if (release === undefined)
      throw new CarryallError('OUTPUT_NOT_WRITABLE', `The OCI layout "${directory}" is open for reading only`)
  }

  return {
    stagingDirectory,

    async head(repository, reference, signal) {
      const found = await find(repository, reference, signal)
      return found !== undefined && (await blobs.size(found.digest)) === found.size ? found : undefined
    },

    async manifest(repository, reference, signal) {
      const found = await find(repository, reference, signal)
      if (found === undefined || (await blobs.size(found.digest)) === undefined)
        throw unknownManifest(directory, repository, reference)
      const bytes = await facts.bytes(found, signal)
      parseManifest(bytes, found.mediaType)
      return { digest: found.digest, mediaType: found.mediaType, bytes }
    },

    blob: (_repository, blob, offset, signal) => blobs.read(blob.digest, offset, signal),
    blobPlace: (_repository, digest) => blobs.place(digest),
    hasBlob: async (_repository, digest) => (await blobs.size(digest)) !== undefined,

    async referrers(repository, digest, signal) {
      const entries = await entriesOf(repository)
      return facts.referrers(
        entries.map((entry) => entry.descriptor),
        digest,
        signal,
      )
    },

    async *tags(repository) {
      yield* (await entriesOf(repository)).flatMap((entry) => entry.tag ?? []).sort()
    },

    async *repositories() {
      yield* [...new Set((await index.read()).entries.map((entry) => entry.repository))].sort()
    },

    async putBlob(_repository, blob, open) {
      writable()
      return blobs.write(blob, open)
    },

    async commitStaged(blob, file): Promise<BlobOutcome> {
      writable()
      return blobs.adopt(blob, file)
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
        ...(artifactType === undefined ? {} : { artifactType }),
      }
      await blobs.write(descriptor, () => once(bytes))
      await index.edit((before) => named(before, repository, reference, descriptor))
    },

    async deleteManifest(repository, reference, signal) {
      writable()
      const found = await find(repository, reference, signal)
      if (found === undefined) return false
      if (!isDigest(reference)) await index.edit((before) => untagged(before, repository, reference))
      else {
        await refuseContained(
          facts,
          (await entriesOf(repository)).map((entry) => entry.descriptor),
          found,
        )
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

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
