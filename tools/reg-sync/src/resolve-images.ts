import { isCarryallError } from '@carryall/errors'
import { parseManifest, pool, walkImage, type Manifest, type Source } from '@carryall/oci'
import type { Descriptor } from '@carryall/schemas'
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
  /** All tags of a repository of the source, where they were listed. */
  readonly tagsOf: (repository: string) => Promise<ReadonlySet<string> | undefined>
  readonly gone: Gone
  readonly parallel: number
  readonly signal: AbortSignal
  readonly onImage?: () => void
}

/**
 * Reads the manifests of every image that is to be copied, and adds what is attached to any image by its `subject` and is not at the
 * destination. What cannot be read is `unreadable`, the others are not held up by it.
 */
export async function resolveImages(
  images: readonly Surveyed[],
  pair: Pair,
  ports: ResolvePorts,
): Promise<readonly Resolved[]> {
  const resolved: (readonly Resolved[])[] = []
  await pool(images.entries(), ports.parallel, ports.signal, async ([index, image]) => {
    resolved[index] = await resolveOne(image, pair, ports)
    ports.onImage?.()
  })
  return eachOnce(resolved.flat())
}

async function resolveOne(image: Surveyed, pair: Pair, ports: ResolvePorts): Promise<readonly Resolved[]> {
  try {
    const grown = (await hasGrown(image, ports)) || undefined
    const own = grown === true || ports.wanted(image) ? await walked(image, pair, ports) : image
    if (own === undefined) return []
    if (!pair.attachments || own.state === 'unreadable' || own.digest === undefined)
      return [grown ? { ...own, grown } : own]
    const first: Resolved = grown ? { ...own, grown } : own
    return [first, ...(await attachments(own, own.digest, pair, ports, 0))]
  } catch (error) {
    if (ports.signal.aborted || !isCarryallError(error)) throw error
    return [{ ...image, state: 'unreadable', error: syncError(error) }]
  }
}

const COSIGN = /^sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/

async function hasGrown(
  { state, source: side, destination: target, digest, present }: Surveyed,
  ports: ResolvePorts,
): Promise<boolean> {
  if (state !== 'diverged' || side.tag === undefined || !COSIGN.test(side.tag)) return false
  const [now, before] = await Promise.all([
    ports.source.manifest(side.repository, digest!, ports.signal),
    ports.destination.manifest(target.repository, present!, ports.signal),
  ])
  const layers = (manifest: Manifest): readonly string[] =>
    parseManifest(manifest.bytes, manifest.mediaType).layers.map((layer) => layer.digest)
  const has = new Set(layers(now))
  return layers(before).every((layer) => has.has(layer))
}

/** Undefined for what has vanished since it was listed. */
async function walked(
  image: Surveyed,
  pair: Pair,
  { source, signal, gone }: ResolvePorts,
): Promise<Resolved | undefined> {
  const { repository, tag } = image.source
  const reference = image.digest ?? tag!
  try {
    const graph = await walkImage(source, repository, reference, { platforms: pair.platforms, signal })
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

async function attachments(
  image: Surveyed,
  subject: string,
  pair: Pair,
  ports: ResolvePorts,
  depth: number,
): Promise<readonly Resolved[]> {
  if (depth === MAX_DEPTH) return []
  const { source, destination, signal, tagsOf } = ports
  const { repository } = image.source
  const referrers = await source.referrers(repository, subject, signal, await tagsOf(repository))
  if (referrers.length === 0) return []
  const there = new Set(
    (await destination.referrers(image.destination.repository, subject, signal)).map(({ digest }) => digest),
  )
  const found: Resolved[] = []
  for (const { digest, mediaType } of referrers) {
    const one: Surveyed = {
      image: { registry: image.source.registry, repository, digest },
      source: sideOf(image.source.registry, repository, undefined),
      destination: sideOf(image.destination.registry, image.destination.repository, undefined),
      state: there.has(digest) ? 'same' : 'missing',
      digest,
      ...(there.has(digest) ? { present: digest } : {}),
    }
    const own = there.has(digest) ? { ...one, mediaType } : await walked(one, pair, ports)
    if (own !== undefined) found.push({ ...own, attachedTo: subject })
    found.push(...(await attachments(one, digest, pair, ports, depth + 1)))
  }
  return found
}

/** What is attached to a digest that two tags name is found twice. */
function eachOnce(images: readonly Resolved[]): readonly Resolved[] {
  const seen = new Set<string>()
  return images.filter(({ destination, digest, attachedTo }) => {
    const key = `${destination.registry}/${destination.repository}@${digest}`
    if (attachedTo === undefined) return true
    return !seen.has(key) && seen.add(key)
  })
}
