import { CarryallError } from '@carryall/errors'
import { attachmentFinder, isIndexType, pool, walkImage, type ImageGraph, type Source } from '@carryall/oci'
import type { Descriptor, ImageLine } from '@carryall/schemas'
import type { WantedImage } from './wanted-images.ts'

/** Where an image is read from. */
export interface Origin {
  readonly source: Source
  /** For the plan and the reports: `docker://host` or `oci:directory`. */
  readonly address: string
  readonly repository: string
  /** Tag or digest there. */
  readonly reference: string
}

/** A wanted image, or something attached to one, with its manifests read. */
export interface ResolvedImage {
  readonly line: ImageLine
  readonly graph: ImageGraph
  readonly origin: Origin
}

export interface ResolveOptions {
  readonly parallel: number
  readonly signatures: boolean
  readonly foreignLayers: boolean
  readonly signal: AbortSignal
  readonly originOf: (image: WantedImage) => Promise<Origin>
  readonly onImage?: (image: WantedImage) => void
  readonly onFailure?: (image: WantedImage, error: unknown) => void
}

/**
 * Pins every image: reads its manifests and those of what is attached to it. Nothing but manifests is fetched. An image
 * that cannot be read is a failure of its own, so that all of them can be named at once.
 */
export async function resolveImages(
  images: readonly WantedImage[],
  options: ResolveOptions,
): Promise<{
  resolved: readonly ResolvedImage[]
  failures: readonly { image: WantedImage; error: unknown }[]
}> {
  const resolved = new Map<WantedImage, readonly ResolvedImage[]>()
  const failures: { image: WantedImage; error: unknown }[] = []
  const finders = new Map<string, Finder>()
  const finderOf = ({ address, source }: Origin): Finder => {
    const known = finders.get(address) ?? attachmentFinder(source)
    finders.set(address, known)
    return known
  }
  await pool(images, options.parallel, options.signal, async (image) => {
    try {
      resolved.set(image, await resolveOne(image, finderOf, options))
      options.onImage?.(image)
    } catch (error) {
      if (options.signal.aborted) throw error
      failures.push({ image, error })
      options.onFailure?.(image, error)
    }
  })
  return { resolved: eachOnce(images.flatMap((image) => resolved.get(image) ?? [])), failures }
}

/**
 * What is attached to a manifest that several images share is found with each of them. Throws CONFIG_INVALID where two
 * sources attach different things under one name.
 */
function eachOnce(resolved: readonly ResolvedImage[]): readonly ResolvedImage[] {
  const byName = new Map<string, ResolvedImage>()
  for (const image of resolved) {
    const { repository, tag, digest } = image.line
    const name = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`
    const other = byName.get(name)
    if (other === undefined) byName.set(name, image)
    else if (other.line.digest !== digest) {
      throw new CarryallError(
        'CONFIG_INVALID',
        `${other.line.name} and ${image.line.name} both bring an image that is to become ${name}, and they differ`,
        {
          subject: { kind: 'tag', name },
          expected: other.line.digest,
          actual: digest,
          hint: 'Give one of them a targetRepo of its own',
        },
      )
    }
  }
  return [...byName.values()]
}

type Finder = ReturnType<typeof attachmentFinder>

async function resolveOne(
  image: WantedImage,
  finderOf: (origin: Origin) => Finder,
  options: ResolveOptions,
): Promise<readonly ResolvedImage[]> {
  const origin = await options.originOf(image)
  const { foreignLayers, signal } = options
  const graph = await walkImage(origin.source, origin.repository, origin.reference, {
    platforms: image.platforms,
    foreignLayers,
    signal,
  })
  refuseEmptied(image, graph)
  const root = graph.manifests.at(-1)!
  const main = { line: lineOf(image, graph, { tag: image.tag }), graph, origin }
  if (!options.signatures) return [main]
  const attached = new Map<string, ResolvedImage>()
  for (const manifest of graph.manifests) {
    for (const found of await finderOf(origin)(origin.repository, manifest.digest, signal)) {
      const key = found.tag ?? found.digest
      if (attached.has(key) || found.digest === root.digest) continue
      const own = await walkImage(origin.source, origin.repository, found.digest, { foreignLayers, signal })
      const line = lineOf(image, own, {
        subject: found.subject,
        ...(found.tag === undefined ? {} : { tag: found.tag }),
      })
      attached.set(key, { line, graph: own, origin: { ...origin, reference: found.digest } })
    }
  }
  return [main, ...attached.values()]
}

/** An index of which the platforms leave nothing would land as an image that nobody can run. */
function refuseEmptied({ reference, platforms }: WantedImage, graph: ImageGraph): void {
  if (!graph.sparse || graph.manifests.some((manifest) => !isIndexType(manifest.mediaType))) return
  throw new CarryallError('CONFIG_INVALID', `No image of the index is for ${platforms.join(' or ')}`, {
    subject: { kind: 'tag', name: reference.text },
    expected: platforms.join(', '),
    hint: 'Correct its platforms; "skopeo inspect --raw" shows those of the index',
  })
}

function lineOf(image: WantedImage, graph: ImageGraph, named: { tag?: string; subject?: string }): ImageLine {
  const root = graph.manifests.at(-1)!
  const sizes = [
    ...graph.manifests.map((manifest) => manifest.bytes.length),
    ...[...graph.blobs.values()].map((blob: Descriptor) => blob.size),
  ]
  return {
    name: image.reference.text,
    repository: image.repository,
    ...(named.tag === undefined ? {} : { tag: named.tag }),
    digest: root.digest,
    media_type: root.mediaType,
    platforms: [...graph.platforms],
    ...(graph.sparse ? { sparse: true as const } : {}),
    ...(named.subject === undefined ? {} : { subject: named.subject }),
    size_bytes: sizes.reduce((sum, size) => sum + size, 0),
    manifests: graph.manifests.map((manifest) => manifest.digest),
    blobs: [...graph.blobs.keys()],
  }
}
