import { planArchives, type ArchivePlan } from '@carryall/archive'
import type { HeldBlob, ImageLine } from '@carryall/schemas'
import { byByte } from '@carryall/shipment'

const ROOT = 'docker/registry/v2'
const GIB = 2 ** 30

/** oc-mirror's default, where the configuration has none. */
export const DEFAULT_ARCHIVE_GIB = 500

/** Where a blob is in the archives: the layout of distribution's file system driver, which oc-mirror's cache has. */
export function blobEntry(digest: string): string {
  const hex = digest.slice('sha256:'.length)
  return `${ROOT}/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`
}

/**
 * The link files that make a registry of the blobs, by entry name; each holds a digest. They are a function of the image
 * list, so that a reader can tell what has to be there.
 */
export function linkEntries(images: readonly ImageLine[]): ReadonlyMap<string, string> {
  const links = new Map<string, string>()
  const link = (path: string, digest: string): void => void links.set(`${path}/link`, digest)
  for (const image of images) {
    const repository = `${ROOT}/repositories/${image.repository}`
    for (const digest of image.blobs) link(`${repository}/_layers/${slashed(digest)}`, digest)
    for (const digest of image.manifests)
      link(`${repository}/_manifests/revisions/${slashed(digest)}`, digest)
    if (image.tag === undefined) continue
    link(`${repository}/_manifests/tags/${image.tag}/current`, image.digest)
    link(`${repository}/_manifests/tags/${image.tag}/index/${slashed(image.digest)}`, image.digest)
  }
  return new Map([...links].sort(([a], [b]) => byByte(a, b)))
}

/** A blob that is to be held, before it has a place. */
export type NewBlob = Pick<HeldBlob, 'digest' | 'size' | 'media_type'>

/**
 * Gives every blob its archive and offset: links first, then manifests and configs (`first`), then layers, by digest.
 * `archiveGiB` bounds each archive, headers and padding counted; a larger blob gets one of its own, or with `strict` throws.
 */
export function layOut(
  images: readonly ImageLine[],
  blobs: readonly NewBlob[],
  first: ReadonlySet<string>,
  options: { readonly archiveGiB?: number; readonly strict?: boolean },
): { archives: readonly ArchivePlan[]; held: readonly HeldBlob[] } {
  const sorted = [...blobs].sort(
    (a, b) => Number(first.has(b.digest)) - Number(first.has(a.digest)) || (a.digest < b.digest ? -1 : 1),
  )
  const entries = [
    ...[...linkEntries(images)].map(([name, digest]) => ({ name, size: digest.length })),
    ...sorted.map((blob) => ({ name: blobEntry(blob.digest), size: blob.size })),
  ]
  const archives = planArchives(entries, {
    maxBytes: (options.archiveGiB || DEFAULT_ARCHIVE_GIB) * GIB,
    strict: options.strict ?? false,
  })
  const places = new Map(
    archives.flatMap((archive) =>
      archive.entries.map((entry) => [entry.name, { archive: archive.name, offset: entry.offset }] as const),
    ),
  )
  return {
    archives,
    held: sorted.map(({ digest, size, media_type }) => ({
      digest,
      size,
      media_type,
      ...places.get(blobEntry(digest))!,
    })),
  }
}

/** The layout that an index describes; what a sequence's archives have to look like, byte for byte outside the blobs. */
export function describedLayout(
  images: readonly ImageLine[],
  held: readonly HeldBlob[],
  sizes: readonly { name: string; size_bytes: number }[],
): readonly ArchivePlan[] {
  const links = [...linkEntries(images)].map(([name, digest]) => ({ name, size: digest.length }))
  return sizes.map(({ name }, index) => {
    const inside = held.filter((blob) => blob.archive === name).sort((a, b) => a.offset - b.offset)
    const entries = [
      ...(index === 0 ? links : []),
      ...inside.map((blob) => ({ name: blobEntry(blob.digest), size: blob.size })),
    ]
    const plan = planArchives(entries, { maxBytes: Number.MAX_SAFE_INTEGER, strict: false })[0]!
    return { ...plan, name }
  })
}

function slashed(digest: string): string {
  return digest.replace(':', '/')
}
