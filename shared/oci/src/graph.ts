import { CarryallError } from '@carryall/errors'
import { platformName, type Descriptor } from '@carryall/schemas'
import { parseManifest, type ManifestContent } from './manifest.ts'
import { isForeignLayer, isManifestType } from './media-types.ts'
import type { Manifest, Source } from './store.ts'

const MAX_DEPTH = 8
const MAX_MANIFESTS = 10_000

/** An image with everything below it. */
export interface ImageGraph {
  /** Children before the indexes that name them, the root last; each once. */
  readonly manifests: readonly Manifest[]
  /** Configs and layers by digest. */
  readonly blobs: ReadonlyMap<string, Descriptor>
  /** Digests of those blobs that are configs. */
  readonly configs: ReadonlySet<string>
  /** Foreign layers that are left where they are. */
  readonly skipped: readonly Descriptor[]
  /** Platforms of the index that are kept; empty for a single image. */
  readonly platforms: readonly string[]
  /** Children of an index that are not part of this graph: the index is kept as it is. */
  readonly sparse: boolean
}

export interface WalkOptions {
  /** `os/architecture[/variant]` to keep of an index; all if absent. */
  readonly platforms?: readonly string[]
  /** Foreign layers are fetched from the registry itself, never from their `urls`. */
  readonly foreignLayers?: boolean
  /** Children for which this is false are left out, as those of a sparse index are. */
  readonly present?: (digest: string) => boolean
  readonly signal?: AbortSignal
}

interface Walk {
  readonly manifests: Map<string, Manifest>
  readonly blobs: Map<string, Descriptor>
  readonly configs: Set<string>
  readonly skipped: Map<string, Descriptor>
  readonly platforms: Set<string>
  sparse: boolean
}

/**
 * Reads an image's manifests to the last child: nested indexes, Docker and OCI, artifacts. Only manifests are fetched.
 * Throws what the store throws, and REG_PROTOCOL for indexes nested deeper than 8 or with more than 10,000 manifests.
 */
export async function walkImage(
  source: Source,
  repository: string,
  reference: string,
  options: WalkOptions = {},
): Promise<ImageGraph> {
  const walk: Walk = {
    manifests: new Map(),
    blobs: new Map(),
    configs: new Set(),
    skipped: new Map(),
    platforms: new Set(),
    sparse: false,
  }
  await visit(walk, source, repository, reference, options, 0)
  return {
    manifests: [...walk.manifests.values()],
    blobs: walk.blobs,
    configs: walk.configs,
    skipped: [...walk.skipped.values()],
    platforms: [...walk.platforms],
    sparse: walk.sparse,
  }
}

async function visit(
  walk: Walk,
  source: Source,
  repository: string,
  reference: string,
  options: WalkOptions,
  depth: number,
): Promise<void> {
  if (depth > MAX_DEPTH)
    throw new CarryallError('REG_PROTOCOL', `Indexes in ${repository} are nested deeper than ${MAX_DEPTH}`)
  if (walk.manifests.has(reference)) return
  const manifest = await source.manifest(repository, reference, options.signal)
  if (walk.manifests.size >= MAX_MANIFESTS)
    throw new CarryallError(
      'REG_PROTOCOL',
      `${repository}@${reference} has more than ${MAX_MANIFESTS} manifests`,
    )
  const content = parseManifest(manifest.bytes, manifest.mediaType)
  if (content.config) walk.configs.add(content.config.digest)
  for (const blob of [...(content.config ? [content.config] : []), ...content.layers]) {
    const skip = isForeignLayer(blob) && !options.foreignLayers
    addBlob(skip ? walk.skipped : walk.blobs, blob, manifest)
  }
  const kept = keptChildren(content, options.platforms).filter(
    (child) => options.present?.(child.digest) ?? true,
  )
  if (kept.length < content.manifests.length) walk.sparse = true
  for (const child of kept) if (child.platform !== undefined) walk.platforms.add(platformName(child.platform))
  for (const child of kept) {
    if (isManifestType(child.mediaType)) {
      await visit(walk, source, repository, child.digest, options, depth + 1)
      refuseOther(child, walk.manifests.get(child.digest), manifest)
    } else addBlob(walk.blobs, child, manifest)
  }
  walk.manifests.set(manifest.digest, manifest)
}

/** Who goes by the index and who goes by its child must take the child for the same. */
function refuseOther(child: Descriptor, found: Manifest | undefined, index: Manifest): void {
  if (found === undefined || (found.mediaType === child.mediaType && found.bytes.length === child.size))
    return
  throw new CarryallError(
    'REG_AMBIGUOUS_MANIFEST',
    `${index.digest} has ${child.digest} as ${child.size} bytes of ${child.mediaType}; it is ${found.bytes.length} bytes of ${found.mediaType}`,
    { hint: 'Have the index pushed again by its owner' },
  )
}

/** Two descriptors of one digest with two sizes cannot both be true. */
function addBlob(blobs: Map<string, Descriptor>, blob: Descriptor, manifest: Manifest): void {
  const known = blobs.get(blob.digest)
  if (known !== undefined && known.size !== blob.size) {
    throw new CarryallError(
      'REG_AMBIGUOUS_MANIFEST',
      `${manifest.digest} gives ${blob.digest} ${blob.size} bytes where another descriptor gives ${known.size}`,
    )
  }
  if (known === undefined) blobs.set(blob.digest, blob)
}

/** Children that the platforms ask for, with nested indexes and the attestations of what is kept. */
function keptChildren(
  content: ManifestContent,
  platforms: readonly string[] | undefined,
): readonly Descriptor[] {
  if (platforms === undefined || platforms.length === 0) return content.manifests
  const wanted = content.manifests.filter(
    (child) => child.platform === undefined || platforms.some((name) => matches(name, child)),
  )
  const digests = new Set(wanted.map((child) => child.digest))
  return content.manifests.filter(
    (child) =>
      digests.has(child.digest) || digests.has(child.annotations?.['vnd.docker.reference.digest'] ?? ''),
  )
}

function matches(wanted: string, child: Descriptor): boolean {
  const name = platformName(child.platform!)
  return name === wanted || name.startsWith(`${wanted}/`)
}
