import type { ListedImage } from '@carryall/catalog'
import { isCarryallError } from '@carryall/errors'
import {
  cosignTagsOf,
  isCosignTag,
  isIndexType,
  parseManifest,
  pool,
  walkImage,
  type Manifest,
  type Source,
} from '@carryall/oci'
import type { Descriptor } from '@carryall/schemas'
import { destinationKey } from './finished.ts'
import type { Gone } from './gone.ts'
import { isExplicit, type Pair } from './pairs.ts'
import { sideOf, type Surveyed } from './survey.ts'
import { syncError } from './sync-error.ts'

// Attachments of attachments, such as the signature of an SBOM.
const MAX_DEPTH = 4

/** An image with all that has to be there for it, where it is to be copied. */
export interface Resolved extends Surveyed {
  readonly mediaType?: string | undefined
  readonly attachedTo?: string
  /** A tag of cosign to which something was added, with all that it had: it may move. */
  readonly grown?: true
  readonly manifests?: readonly string[]
  readonly blobs?: readonly Pick<Descriptor, 'digest' | 'size'>[]
}

export interface ResolvePorts {
  readonly source: Source
  readonly destination: Source
  /** True where an image is to be copied, or its tag to be moved. */
  readonly wanted: (image: Surveyed) => boolean
  /** What the destination has in the place of an image that no list named; undefined for what has vanished. */
  readonly compare: (image: ListedImage) => Promise<Surveyed | undefined>
  /** All tags of a repository of the source; undefined where they are not known. */
  readonly tagsOf: (repository: string) => Promise<ReadonlySet<string> | undefined>
  readonly gone: Gone
  readonly parallel: number
  readonly signal: AbortSignal
  /** An index has nothing for the platforms that are wanted. */
  readonly onLeftOut?: (image: Surveyed) => void
}

/**
 * Reads the manifests of every image that is to be copied, and adds what is attached to any image by its `subject` or by a tag of
 * cosign. What cannot be read is `unreadable`, the others are not held up by it. Each is given once, however often it was named.
 */
export async function resolveImages(
  images: readonly Surveyed[],
  pair: Pair,
  ports: ResolvePorts,
): Promise<readonly Resolved[]> {
  const named = eachOnce(images)
  const known = new Set(named.map(({ source }) => destinationKey(source)))
  const resolved: (readonly Resolved[])[] = []
  await pool(named.entries(), ports.parallel, ports.signal, async ([index, image]) => {
    resolved[index] = await resolveOne(image, { pair, known, ports }, 0)
  })
  return eachOnce(resolved.flat())
}

interface Work {
  readonly pair: Pair
  /** Tags that were compared already. */
  readonly known: ReadonlySet<string>
  readonly ports: ResolvePorts
}

async function resolveOne(image: Surveyed, work: Work, depth: number): Promise<readonly Resolved[]> {
  const { pair, ports } = work
  try {
    const grown = await hasGrown(image, ports)
    const found = grown || ports.wanted(image) ? await walked(image, work) : image
    if (found === undefined) return []
    const own: Resolved = grown ? { ...found, grown } : found
    if (!pair.attachments || own.state === 'unreadable' || own.digest === undefined) return [own]
    return [own, ...(await attachedTo(own, own.digest, work, depth))]
  } catch (error) {
    if (ports.signal.aborted || !isCarryallError(error)) throw error
    return [{ ...image, state: 'unreadable', error: syncError(error) }]
  }
}

async function hasGrown(
  { state, source: side, destination: target, digest, present }: Surveyed,
  ports: ResolvePorts,
): Promise<boolean> {
  if (state !== 'diverged' || side.tag === undefined || !isCosignTag(side.tag)) return false
  const [now, before] = await Promise.all([
    ports.source.manifest(side.repository, digest!, ports.signal),
    ports.destination.manifest(target.repository, present!, ports.signal),
  ])
  const layers = (manifest: Manifest): readonly string[] =>
    parseManifest(manifest.bytes, manifest.mediaType).layers.map((layer) => layer.digest)
  const has = new Set(layers(now))
  return layers(before).every((layer) => has.has(layer))
}

/** Undefined for what has vanished since it was listed, and for an index that has nothing of what is wanted. */
async function walked(image: Surveyed, { pair, ports }: Work): Promise<Resolved | undefined> {
  const { source, signal, gone } = ports
  const { repository, tag } = image.source
  const reference = image.digest ?? tag!
  try {
    const graph = await walkImage(source, repository, reference, { platforms: pair.platforms, signal })
    if (graph.sparse && graph.manifests.every(({ mediaType }) => isIndexType(mediaType))) {
      ports.onLeftOut?.(image)
      return undefined
    }
    const root = graph.manifests.at(-1)!
    return {
      ...image,
      digest: root.digest,
      mediaType: root.mediaType,
      manifests: graph.manifests.map(({ digest }) => digest),
      blobs: [...graph.blobs.values()].map(({ digest, size }) => ({ digest, size })),
    }
  } catch (error) {
    const mayBeGone = image.digest === undefined && !isExplicit(pair)
    if (!mayBeGone || !isCarryallError(error, 'REG_MANIFEST_UNKNOWN')) throw error
    if (await gone(repository, tag!)) return undefined
    throw error
  }
}

async function attachedTo(
  image: Surveyed,
  subject: string,
  work: Work,
  depth: number,
): Promise<readonly Resolved[]> {
  if (depth === MAX_DEPTH) return []
  const tags = await work.ports.tagsOf(image.source.repository)
  return [
    ...(await taggedFor(image, subject, tags, work, depth)),
    ...(await referrersOf(image, subject, tags, work, depth)),
  ]
}

/** What cosign's tags hold that belong to a digest, where no list has named them. */
async function taggedFor(
  { source: { registry, repository } }: Surveyed,
  subject: string,
  tags: ReadonlySet<string> | undefined,
  work: Work,
  depth: number,
): Promise<readonly Resolved[]> {
  const { known, ports } = work
  const candidates = cosignTagsOf(subject).filter(
    (tag) => (tags?.has(tag) ?? true) && !known.has(destinationKey({ registry, repository, tag })),
  )
  const found: Resolved[] = []
  for (const tag of candidates) {
    const digest = (await ports.source.head(repository, tag, ports.signal))?.digest
    if (digest === undefined) continue
    const one = await ports.compare({ registry, repository, tag, digest })
    if (one !== undefined) found.push(...(await resolveOne(one, work, depth + 1)))
  }
  return found
}

async function referrersOf(
  image: Surveyed,
  subject: string,
  tags: ReadonlySet<string> | undefined,
  work: Work,
  depth: number,
): Promise<readonly Resolved[]> {
  const { source, destination, signal } = work.ports
  const { registry, repository } = image.source
  const referrers = await source.referrers(repository, subject, signal, tags)
  if (referrers.length === 0) return []
  const there = new Set(
    (await destination.referrers(image.destination.repository, subject, signal)).map(({ digest }) => digest),
  )
  const found: Resolved[] = []
  for (const { digest, mediaType } of referrers) {
    const one: Surveyed = {
      image: { registry, repository, digest },
      source: sideOf(registry, repository, undefined),
      destination: sideOf(image.destination.registry, image.destination.repository, undefined),
      state: there.has(digest) ? 'same' : 'missing',
      digest,
      ...(there.has(digest) ? { present: digest } : {}),
    }
    const own = there.has(digest) ? { ...one, mediaType } : await walked(one, work)
    if (own !== undefined) found.push({ ...own, attachedTo: subject })
    found.push(...(await attachedTo(one, digest, work, depth + 1)))
  }
  return found
}

/** A list may name an image twice, and what is attached to a digest that two tags name is found twice. */
function eachOnce<T extends Surveyed>(images: readonly T[]): readonly T[] {
  const seen = new Set<string>()
  return images.filter(({ source, destination, digest }) => {
    const key = `${destinationKey(source, digest)} ${destinationKey(destination, digest)}`
    return !seen.has(key) && seen.add(key)
  })
}
