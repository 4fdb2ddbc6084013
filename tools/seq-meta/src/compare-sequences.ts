import { API_VERSION, type ImageLine, type SequenceDiff } from '@carryall/schemas'
import type { LoadedSequence } from '@carryall/sequence'

export interface Side {
  readonly sequence: LoadedSequence
  /** The parsed imageset-config.yaml. */
  readonly configuration: unknown
}

/** What changed from one sequence to another. Pure. */
export function compareSequences(from: Side, to: Side): SequenceDiff {
  const [before, after] = [byName(from.sequence.images), byName(to.sequence.images)]
  const both = [...after.keys()].filter((key) => before.has(key))
  const moved = both.filter((key) => before.get(key)!.digest !== after.get(key)!.digest)
  const [had, has] = [sizes(from.sequence), sizes(to.sequence)]
  const added = [...has].filter(([digest]) => !had.has(digest))
  const removed = [...had].filter(([digest]) => !has.has(digest))
  return {
    apiVersion: API_VERSION,
    kind: 'SequenceDiff',
    from: about(from.sequence),
    to: about(to.sequence),
    images: {
      unchanged: both.length - moved.length,
      added: [...after].filter(([key]) => !before.has(key)).map(([, image]) => short(image)),
      removed: [...before].filter(([key]) => !after.has(key)).map(([, image]) => short(image)),
      moved: moved.map((key) => ({
        repository: after.get(key)!.repository,
        tag: after.get(key)!.tag ?? '',
        from: before.get(key)!.digest,
        to: after.get(key)!.digest,
      })),
    },
    versions: versions(from.sequence.images, to.sequence.images),
    blobs: {
      added: added.length,
      added_bytes: total(added),
      removed: removed.length,
      removed_bytes: total(removed),
    },
    configuration: changes(flatten(from.configuration), flatten(to.configuration)),
  }
}

function byName(images: readonly ImageLine[]): ReadonlyMap<string, ImageLine> {
  return new Map(images.map((image) => [`${image.repository}:${image.tag ?? image.digest}`, image]))
}

function versions(before: readonly ImageLine[], after: readonly ImageLine[]): SequenceDiff['versions'] {
  const tags = (images: readonly ImageLine[], repository: string): string[] =>
    images
      .filter((image) => image.repository === repository && image.subject === undefined)
      .flatMap((image) => image.tag ?? [])
      .sort()
  const repositories = [...new Set([...before, ...after].map((image) => image.repository))].sort()
  return repositories
    .map((repository) => ({ repository, from: tags(before, repository), to: tags(after, repository) }))
    .filter(({ from, to }) => from.join('\0') !== to.join('\0'))
}

function sizes(sequence: LoadedSequence): ReadonlyMap<string, number> {
  return new Map(sequence.blobs.map((blob) => [blob.digest, blob.size]))
}

function total(blobs: readonly (readonly [string, number])[]): number {
  return blobs.reduce((sum, [, size]) => sum + size, 0)
}

function about({ metadata, shipment }: LoadedSequence): SequenceDiff['from'] {
  return {
    name: metadata.name,
    sequence_number: metadata.sequence_number,
    metadata_digest: shipment.metadataDigest,
    timestamp: metadata.timestamp,
  }
}

function short({ repository, tag, digest, size_bytes }: ImageLine): SequenceDiff['images']['added'][number] {
  return { repository, ...(tag === undefined ? {} : { tag }), digest, size_bytes }
}

/** Leaves by pointer; items of a list go by their name where they have one, so that a new item does not shift the rest. */
function flatten(value: unknown, at = '#', into = new Map<string, unknown>()): Map<string, unknown> {
  if (Array.isArray(value))
    value.forEach((item, index) => flatten(item, `${at}/${nameOf(item) ?? index}`, into))
  else if (value !== null && typeof value === 'object')
    for (const [key, item] of Object.entries(value)) flatten(item, `${at}/${escape(key)}`, into)
  else into.set(at, value)
  return into
}

function nameOf(item: unknown): string | undefined {
  const named = item as { name?: unknown; catalog?: unknown } | null
  const name = named?.name ?? named?.catalog
  return typeof name === 'string' ? escape(name) : undefined
}

function escape(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1')
}

function changes(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): SequenceDiff['configuration'] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((pointer) => before.get(pointer) !== after.get(pointer))
    .sort()
    .map((pointer) => ({
      pointer,
      ...(before.has(pointer) ? { from: before.get(pointer) } : {}),
      ...(after.has(pointer) ? { to: after.get(pointer) } : {}),
    }))
}
