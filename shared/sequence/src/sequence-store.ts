import { open, type FileHandle } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { isDigest, type Descriptor, type ImageLine } from '@carryall/schemas'
import { isManifestType, parseManifest, type Manifest, type Source } from '@carryall/oci'
import { digestOf } from '@carryall/shipment'
import type { Location } from './locate.ts'

/** A `Source` that reads straight from the archives. Close it when done. */
export interface SequenceStore extends Source {
  close(): Promise<void>
}

/**
 * Serves images from archives through their index, nothing unpacked. `images` in chain order: of two with the same
 * repository and tag the later one counts. Read-only; any repository can read any manifest and blob by its digest.
 */
export function sequenceStore(
  images: readonly ImageLine[],
  locations: ReadonlyMap<string, Location>,
): SequenceStore {
  const repositories = namesOf(images)
  const files = new Map<string, Promise<FileHandle>>()

  const fileOf = (file: string): Promise<FileHandle> => {
    const opened = files.get(file) ?? open(file, 'r')
    files.set(file, opened)
    return opened
  }
  const digestFor = (repository: string, reference: string): string | undefined =>
    isDigest(reference) ? reference : repositories.get(repository)?.get(reference)

  const store: SequenceStore = {
    async head(repository, reference) {
      const digest = digestFor(repository, reference)
      const found = digest === undefined ? undefined : locations.get(digest)
      return found === undefined || !isManifestType(found.mediaType)
        ? undefined
        : { mediaType: found.mediaType, digest: digest!, size: found.size }
    },

    async manifest(repository, reference, signal): Promise<Manifest> {
      const head = await store.head(repository, reference, signal)
      if (head === undefined) {
        throw new CarryallError(
          'REG_MANIFEST_UNKNOWN',
          `No manifest ${reference} in the sequences for ${repository}`,
          {
            subject: { kind: 'manifest', name: `${repository}:${reference}` },
          },
        )
      }
      const parts: Buffer[] = []
      for await (const chunk of store.blob(repository, head, 0, signal)) parts.push(Buffer.from(chunk))
      const bytes = Buffer.concat(parts)
      const actual = digestOf(bytes)
      if (actual !== head.digest) throw damaged(locations.get(head.digest)!, head.digest, actual)
      parseManifest(bytes, head.mediaType)
      return { digest: head.digest, mediaType: head.mediaType, bytes }
    },

    async *blob(_repository, blob: Descriptor, offset = 0, signal) {
      const found = locations.get(blob.digest)
      if (found === undefined)
        throw new CarryallError('REG_BLOB_UNKNOWN', `No blob ${blob.digest} in the sequences`, {
          subject: { kind: 'blob', name: blob.digest },
        })
      try {
        const handle = await fileOf(found.file)
        yield* readChunks(
          handle,
          found.offset + offset,
          found.size - offset,
          signal === undefined ? {} : { signal },
        )
      } catch (error) {
        throw isCarryallError(error, 'SIZE_MISMATCH')
          ? damaged(found, blob.digest, 'the end of the file')
          : fromSystemError(error, `read ${found.file}`)
      }
    },

    async referrers(repository, digest, signal) {
      const found: Descriptor[] = []
      for (const image of images) {
        if (image.subject !== digest || image.repository !== repository) continue
        const manifest = await store.manifest(repository, image.digest, signal)
        const content = parseManifest(manifest.bytes, manifest.mediaType)
        if (content.subject?.digest !== digest) continue
        const artifactType = content.artifactType ?? content.config?.mediaType
        found.push({
          mediaType: manifest.mediaType,
          digest: manifest.digest,
          size: manifest.bytes.length,
          ...(artifactType === undefined ? {} : { artifactType }),
          ...(content.annotations === undefined ? {} : { annotations: content.annotations }),
        })
      }
      return found
    },

    async *tags(repository) {
      yield* [...(repositories.get(repository)?.keys() ?? [])].sort()
    },

    async *repositories() {
      yield* [...repositories.keys()].sort()
    },

    async close() {
      // One that could not be opened was told to who asked for it.
      for (const opened of files.values()) await (await opened.catch(() => undefined))?.close()
      files.clear()
    },
  }

  return store
}

function namesOf(images: readonly ImageLine[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const repositories = new Map<string, Map<string, string>>()
  for (const image of images) {
    const tags = repositories.get(image.repository) ?? new Map<string, string>()
    repositories.set(image.repository, tags)
    if (image.tag !== undefined) tags.set(image.tag, image.digest)
  }
  return repositories
}

function damaged(found: Location, expected: string, actual: string): CarryallError {
  return new CarryallError(
    'DIGEST_MISMATCH',
    `${found.file} does not hold ${expected} at offset ${found.offset}`,
    {
      subject: { kind: 'file', name: found.file, digest: expected },
      location: { file: found.file, offset: found.offset },
      expected,
      actual,
      hint: 'Carry that archive again; seq-meta verify names every damaged file',
    },
  )
}
