import { CarryallError } from '@carryall/errors'
import { descriptorSchema, isDigest, type Descriptor } from '@carryall/schemas'
import { entryName, readEntryName, REF_NAME, type EntryName } from './entry-name.ts'

/** Bytes of the largest index.json that is read. */
export const MAX_INDEX = 256 * 1024 * 1024

/** One entry of index.json: `raw` is written back as it was read, with whatever keys other tools gave it. */
export interface Entry extends EntryName {
  readonly raw: unknown
  readonly descriptor: Descriptor
}

/** index.json of a layout, never changed in place. */
export interface LayoutIndex {
  readonly document: Readonly<Record<string, unknown>>
  readonly entries: readonly Entry[]
  /** Entries that are not used, such as those with another digest algorithm; kept when the file is written. */
  readonly others: readonly unknown[]
}

export const EMPTY_INDEX: LayoutIndex = {
  document: { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' },
  entries: [],
  others: [],
}

/** Reads index.json; `own` is the repository of plain tags. Throws INPUT_SYNTAX. */
export function parseIndex(text: string, own: string, file: string): LayoutIndex {
  const value = parseObject(text, file)
  const { manifests, ...document } = value
  if (!Array.isArray(manifests)) throw malformed(file, 'it has no list "manifests"')
  const entries: Entry[] = []
  const others: unknown[] = []
  for (const raw of manifests as unknown[]) {
    const parsed = descriptorSchema.safeParse(raw)
    if (!parsed.success) others.push(raw)
    else {
      const { annotations: { [REF_NAME]: name, ...annotations } = {}, ...plain } = parsed.data
      const descriptor = Object.keys(annotations).length > 0 ? { ...plain, annotations } : plain
      entries.push({ raw, descriptor, ...readEntryName(name, descriptor.digest, own) })
    }
  }
  return { document, entries, others }
}

export function printIndex(index: LayoutIndex): string {
  return JSON.stringify({
    ...index.document,
    manifests: [...index.entries.map((entry) => entry.raw), ...index.others],
  })
}

/**
 * Names a manifest by a tag or, where `reference` is a digest, by that alone. A manifest that loses its last tag stays
 * reachable by digest, as in a registry. Gives back the same object if nothing changes.
 */
export function named(
  index: LayoutIndex,
  repository: string,
  reference: string,
  descriptor: Descriptor,
): LayoutIndex {
  const { digest } = descriptor
  if (isDigest(reference)) {
    return holds(index, repository, digest)
      ? index
      : { ...index, entries: [...index.entries, entry(repository, undefined, descriptor)] }
  }
  const present = index.entries.find((each) => each.repository === repository && each.tag === reference)
  if (present?.descriptor.digest === digest) return index
  const without = untagged(index, repository, reference)
  const pin = entryName(repository, undefined, digest)
  const kept = without.entries.filter((each) => nameOf(each) !== pin)
  return { ...without, entries: [...kept, entry(repository, reference, descriptor)] }
}

/** Removes a tag. Its manifest stays reachable by digest, unless nothing else names it and it `mayGo`. */
export function untagged(index: LayoutIndex, repository: string, tag: string, mayGo = false): LayoutIndex {
  const [gone, ...doubles] = index.entries.filter(
    (each) => each.repository === repository && each.tag === tag,
  )
  if (gone === undefined) return index
  const rest = { ...index, entries: index.entries.filter((each) => each !== gone && !doubles.includes(each)) }
  return mayGo ? rest : named(rest, repository, gone.descriptor.digest, gone.descriptor)
}

/** Removes a manifest and all its tags from a repository. */
export function dropped(index: LayoutIndex, repository: string, digest: string): LayoutIndex {
  const entries = index.entries.filter(
    (each) => each.repository !== repository || each.descriptor.digest !== digest,
  )
  return entries.length === index.entries.length ? index : { ...index, entries }
}

function holds(index: LayoutIndex, repository: string, digest: string): boolean {
  return index.entries.some((each) => each.repository === repository && each.descriptor.digest === digest)
}

/** The name of an entry as it stands in index.json. */
export function nameOf(each: Pick<Entry, 'raw'>): unknown {
  return (each.raw as { annotations?: Record<string, unknown> }).annotations?.[REF_NAME]
}

function entry(repository: string, tag: string | undefined, descriptor: Descriptor): Entry {
  const { mediaType, digest, size, artifactType } = descriptor
  const plain = { mediaType, digest, size, ...(artifactType === undefined ? {} : { artifactType }) }
  const raw = { ...plain, annotations: { [REF_NAME]: entryName(repository, tag, digest) } }
  return { raw, descriptor: plain, repository, ...(tag === undefined ? {} : { tag }) }
}

function parseObject(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch (cause) {
    throw malformed(file, 'it is not JSON', cause)
  }
  throw malformed(file, 'it is not a JSON object')
}

function malformed(file: string, why: string, cause?: unknown): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Cannot read the index of an OCI layout "${file}": ${why}`, {
    hint: 'The layout is damaged or half written; copy it again from where it came',
    location: { file },
    cause,
  })
}
