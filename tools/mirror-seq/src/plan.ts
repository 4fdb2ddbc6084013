import { CarryallError } from '@carryall/errors'
import { API_VERSION, type BlobLine, type MirrorPlan } from '@carryall/schemas'
import { layOut, type LoadedSequence, type NewBlob } from '@carryall/sequence'
import { borrow } from '@carryall/shipment'
import type { ResolvedImage } from './resolve.ts'

export interface PlanInput {
  readonly resolved: readonly ResolvedImage[]
  readonly blocked: readonly string[]
  /** The chain so far, by number. */
  readonly earlier: readonly LoadedSequence[]
  readonly chain: MirrorPlan['chain']
  readonly description: string
  readonly timestamp: string
  readonly configDigest: string
  readonly configSource: string
  readonly optionsDigest: string
  readonly newBaseline: boolean
  readonly archiveGiB: number | undefined
  readonly strictArchive: boolean
  readonly site: readonly string[]
  readonly expires: string | undefined
}

/**
 * What the next sequence has to hold: only blobs that no earlier sequence holds, unless it is to be a baseline; borrowed
 * from as few earlier ones as possible; every new blob with its place in the archives. Pure: the same input gives the
 * same plan. Throws REG_AMBIGUOUS_MANIFEST where a digest has two sizes, CONFIG_INVALID by `strictArchive`.
 */
export function planSequence(input: PlanInput): MirrorPlan {
  const images = input.resolved.map((image) => image.line)
  const { needed, first, sources } = collect(input.resolved)
  const holders = input.newBaseline ? [] : input.earlier.map(holderOf)
  const lenders = borrow(needed.keys(), holders)
  const fresh = [...needed.values()].filter((blob) => !lenders.has(blob.digest))
  const options = {
    strict: input.strictArchive,
    ...(input.archiveGiB === undefined ? {} : { archiveGiB: input.archiveGiB }),
  }
  const { archives, held } = layOut(images, fresh, first, options)
  const borrowed = [...lenders].map(([digest, sequence]) => ({
    digest,
    size: needed.get(digest)!.size,
    sequence,
  }))
  const blobs: BlobLine[] = [...held, ...borrowed].sort((a, b) => (a.digest < b.digest ? -1 : 1))
  const number = (input.earlier.at(-1)?.metadata.sequence_number ?? 0) + 1
  const newest = input.earlier.at(-1)
  const used = new Set(lenders.values())
  return {
    apiVersion: API_VERSION,
    kind: 'MirrorPlan',
    chain: input.chain,
    sequence_number: number,
    name: `seq${number}-${input.description}`,
    description: input.description,
    timestamp: input.timestamp,
    ...(newest === undefined ? {} : { previous: newest.shipment.metadataDigest }),
    ...(input.site.length === 0 ? {} : { site: [...input.site] }),
    ...(input.expires === undefined ? {} : { expires: input.expires }),
    config_digest: input.configDigest,
    config_source: input.configSource,
    options_digest: input.optionsDigest,
    dependencies: input.earlier
      .filter((sequence) => used.has(sequence.metadata.sequence_number))
      .map(({ metadata, shipment }) => ({
        sequence_number: metadata.sequence_number,
        name: metadata.name,
        metadata_digest: shipment.metadataDigest,
      })),
    totals: {
      images: images.length,
      blobs: needed.size,
      new_blobs: held.length,
      new_bytes: sum(held),
      carried_bytes: sum(borrowed),
      archive_bytes: archives.reduce((total, archive) => total + archive.size, 0),
    },
    skipped: input.resolved.flatMap((image) =>
      image.graph.skipped.map(({ digest, size, mediaType }) => ({
        image: image.line.name,
        digest,
        size,
        why: `foreign layer (${mediaType})`,
      })),
    ),
    blocked: [...input.blocked],
    archives: archives.map(({ name, size }) => ({ name, size_bytes: size })),
    images,
    blobs,
    sources: Object.fromEntries(held.map((blob) => [blob.digest, sources.get(blob.digest)!])),
  }
}

interface Collected {
  readonly needed: ReadonlyMap<string, NewBlob>
  /** Manifests and configs, which come first in the archives. */
  readonly first: ReadonlySet<string>
  readonly sources: ReadonlyMap<string, { source: string; repository: string }>
}

function collect(resolved: readonly ResolvedImage[]): Collected {
  const needed = new Map<string, NewBlob>()
  const first = new Set<string>()
  const sources = new Map<string, { source: string; repository: string }>()
  const add = (blob: NewBlob, { origin }: ResolvedImage): void => {
    const known = needed.get(blob.digest)
    if (known !== undefined && known.size !== blob.size) {
      throw new CarryallError(
        'REG_AMBIGUOUS_MANIFEST',
        `Manifests give ${blob.digest} both ${known.size} and ${blob.size} bytes`,
        {
          subject: { kind: 'blob', name: blob.digest },
          hint: 'One of the images that name it is damaged at its source',
        },
      )
    }
    if (known === undefined) {
      needed.set(blob.digest, blob)
      sources.set(blob.digest, { source: origin.address, repository: origin.repository })
    }
  }
  for (const image of resolved) {
    for (const manifest of image.graph.manifests) {
      add({ digest: manifest.digest, size: manifest.bytes.length, media_type: manifest.mediaType }, image)
      first.add(manifest.digest)
    }
    for (const blob of image.graph.blobs.values())
      add({ digest: blob.digest, size: blob.size, media_type: blob.mediaType }, image)
    for (const config of image.graph.configs) first.add(config)
  }
  return { needed, first, sources }
}

function holderOf({ metadata, blobs }: LoadedSequence): {
  sequence_number: number
  held: ReadonlySet<string>
} {
  return {
    sequence_number: metadata.sequence_number,
    held: new Set(blobs.filter((blob) => 'archive' in blob).map((blob) => blob.digest)),
  }
}

function sum(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((total, blob) => total + blob.size, 0)
}
