import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readEntries } from '@carryall/archive'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { detectMediaType, MAX_MANIFEST, walkImage } from '@carryall/oci'
import { isDigest, isRepository, isTag, type ImageLine } from '@carryall/schemas'
import type { Location } from './locate.ts'
import { sequenceStore } from './sequence-store.ts'

const ARCHIVE = /^mirror_\d{6}\.tar$/
const BLOB = /^docker\/registry\/v2\/blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})\/data$/
const REVISION =
  /^docker\/registry\/v2\/repositories\/(.+)\/_manifests\/revisions\/sha256\/([0-9a-f]{64})\/link$/
const TAG = /^docker\/registry\/v2\/repositories\/(.+)\/_manifests\/tags\/([^/]+)\/current\/link$/
const LINK_SIZE = 'sha256:'.length + 64

/** Archives without an index, read once: what they hold, and the images whose manifests are all there. */
export interface ForeignArchives {
  readonly archives: readonly string[]
  readonly locations: ReadonlyMap<string, Location>
  readonly images: readonly ImageLine[]
  /** Images that the links name and whose manifests are in none of these archives. */
  readonly elsewhere: readonly {
    readonly repository: string
    readonly tag: string
    readonly digest: string
  }[]
}

/**
 * Indexes the `mirror_NNNNNN.tar` that oc-mirror wrote in a directory, by their headers and link files alone. The digest
 * of each blob is proven when it is read. Throws INPUT_NOT_FOUND where there are none, ARCHIVE_* for broken ones.
 */
export async function readForeignArchives(directory: string): Promise<ForeignArchives> {
  const archives = (await list(directory)).filter((name) => ARCHIVE.test(name)).sort()
  if (archives.length === 0) {
    throw new CarryallError(
      'INPUT_NOT_FOUND',
      `${directory} holds neither a sequence nor archives named mirror_NNNNNN.tar`,
      {
        subject: { kind: 'file', name: directory },
        hint: 'Name a directory such as content/seq1-baseline',
      },
    )
  }
  const blobs = new Map<string, Omit<Location, 'mediaType'>>()
  const revisions = new Set<string>()
  const tags: { repository: string; tag: string; digest: string }[] = []
  for (const name of archives) {
    const file = join(directory, name)
    await using handle = await open(file, 'r')
    for await (const entry of readEntries(file)) {
      const hex = BLOB.exec(entry.name)?.[1]
      if (hex !== undefined)
        blobs.set(`sha256:${hex}`, { file, offset: entry.offset, size: entry.size, sequence: 0 })
      const revision = REVISION.exec(entry.name)
      if (revision !== null) revisions.add(`sha256:${revision[2]}`)
      const tag = TAG.exec(entry.name)
      if (tag === null || entry.size !== LINK_SIZE || !isRepository(tag[1]!) || !isTag(tag[2]!)) continue
      const { buffer } = await handle.read(Buffer.alloc(LINK_SIZE), 0, LINK_SIZE, entry.offset)
      const digest = buffer.toString('latin1')
      if (isDigest(digest)) tags.push({ repository: tag[1]!, tag: tag[2]!, digest })
    }
  }
  const locations = await withTypes(blobs, revisions)
  return { archives, locations, ...(await imagesOf(tags, locations)) }
}

/** Media types are not in the archives: a manifest's is told by its bytes, any other blob's does not matter. */
async function withTypes(
  blobs: ReadonlyMap<string, Omit<Location, 'mediaType'>>,
  revisions: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Location>> {
  const locations = new Map<string, Location>()
  for (const [digest, blob] of blobs) {
    const manifest = revisions.has(digest) && blob.size <= MAX_MANIFEST
    locations.set(digest, {
      ...blob,
      mediaType: manifest ? detectMediaType(await bytesAt(blob)) : 'application/octet-stream',
    })
  }
  return locations
}

async function bytesAt({ file, offset, size }: Omit<Location, 'mediaType'>): Promise<Buffer> {
  await using handle = await open(file, 'r')
  const { buffer } = await handle.read(Buffer.alloc(size), 0, size, offset)
  return buffer
}

async function imagesOf(
  tags: readonly { repository: string; tag: string; digest: string }[],
  locations: ReadonlyMap<string, Location>,
): Promise<Pick<ForeignArchives, 'images' | 'elsewhere'>> {
  const images: ImageLine[] = []
  const elsewhere: { repository: string; tag: string; digest: string }[] = []
  const store = sequenceStore([], locations)
  for (const { repository, tag, digest } of tags) {
    if (!locations.has(digest)) {
      elsewhere.push({ repository, tag, digest })
      continue
    }
    const graph = await walkImage(store, repository, digest, { present: (child) => locations.has(child) })
    const root = graph.manifests.at(-1)!
    images.push({
      name: `${repository}:${tag}`,
      repository,
      tag,
      digest,
      media_type: root.mediaType,
      platforms: [...graph.platforms],
      ...(graph.sparse ? { sparse: true as const } : {}),
      size_bytes: [
        ...graph.manifests.map((manifest) => manifest.bytes.length),
        ...[...graph.blobs.values()].map((blob) => blob.size),
      ].reduce((sum, size) => sum + size, 0),
      manifests: graph.manifests.map((manifest) => manifest.digest),
      blobs: [...graph.blobs.keys()],
    })
  }
  await store.close()
  return { images, elsewhere }
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    throw fromSystemError(error, `read ${directory}`, { subject: { kind: 'file', name: directory } })
  }
}
