import { pool, type Destination } from '@carryall/oci'
import { missing } from '@carryall/shipment'
import type { Missing } from '@carryall/schemas'
import type { Carried } from './carried.ts'
import type { PlannedImage } from './plan-push.ts'

/** Where the destination holds what is not carried: a repository for each digest. */
export interface Proof {
  readonly there: ReadonlyMap<string, string>
  /** What is neither here nor there, by the sequence that holds it. Empty: the push can begin. */
  readonly missing: readonly Missing[]
  /** The same, blob by blob, for archives that have no index to name a sequence. */
  readonly lacking: readonly string[]
}

/**
 * Proves that every manifest and blob of the images that are to be pushed is in the carried archives or at the
 * destination: looked up in the repository that needs it, then in every other that the chain's images name. Reads only.
 */
export async function prove(
  carried: Carried,
  images: readonly PlannedImage[],
  destination: Destination,
  options: { parallel: number; signal: AbortSignal },
): Promise<Proof> {
  const there = new Map<string, string>()
  const wanted = new Map<string, { manifest: boolean; repositories: Set<string> }>()
  for (const image of images) {
    if (image.state === 'same' || image.state === 'conflict') continue
    const parts = [
      ...image.manifests.map((digest) => ({ digest, manifest: true })),
      ...image.blobs.map(({ digest }) => ({ digest, manifest: false })),
    ]
    for (const { digest, manifest } of parts) {
      if (carried.locations.has(digest)) continue
      const known = wanted.get(digest) ?? { manifest, repositories: new Set<string>() }
      known.repositories.add(image.repository)
      wanted.set(digest, known)
    }
  }
  const named = repositoriesByDigest(images)
  await pool(wanted, options.parallel, options.signal, async ([digest, { manifest, repositories }]) => {
    for (const repository of new Set([...repositories, ...(named.get(digest) ?? [])])) {
      const found = manifest
        ? await destination.head(repository, digest, options.signal)
        : await destination.hasBlob(repository, digest, options.signal)
      if (!found) continue
      there.set(digest, repository)
      return
    }
  })
  const lacking = [...wanted.keys()].filter((digest) => !there.has(digest)).sort()
  return { there, lacking, missing: bySequence(carried, new Set(lacking)) }
}

/** Every repository at the destination whose images, pushed now or there already, need a digest. */
function repositoriesByDigest(images: readonly PlannedImage[]): ReadonlyMap<string, ReadonlySet<string>> {
  const named = new Map<string, Set<string>>()
  for (const { repository, manifests, blobs } of images) {
    for (const digest of [...manifests, ...blobs.map((blob) => blob.digest)]) {
      const known = named.get(digest) ?? new Set<string>()
      known.add(repository)
      named.set(digest, known)
    }
  }
  return named
}

function bySequence(carried: Carried, lacking: ReadonlySet<string>): readonly Missing[] {
  const lines = new Map(
    carried.sequences.flatMap((sequence) =>
      sequence.blobs.filter((blob) => lacking.has(blob.digest)).map((blob) => [blob.digest, blob] as const),
    ),
  )
  const holders = new Map(
    carried.chain.flatMap(({ metadata, blobs }) =>
      blobs
        .filter((blob) => 'archive' in blob)
        .map((blob) => [blob.digest, metadata.sequence_number] as const),
    ),
  )
  const borrowed = [...lines.values()].map((blob) => ({
    digest: blob.digest,
    size: blob.size,
    sequence: 'sequence' in blob ? blob.sequence : (holders.get(blob.digest) ?? 0),
  }))
  const names = new Map(
    carried.sequences.flatMap(({ metadata }) => [
      [metadata.sequence_number, metadata.name] as const,
      ...metadata.dependencies.map((one) => [one.sequence_number, one.name] as const),
    ]),
  )
  return missing(
    borrowed,
    () => false,
    (sequence) => names.get(sequence),
  )
}
