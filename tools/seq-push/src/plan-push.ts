import { parseManifest, pool, type CopyImage, type Destination } from '@carryall/oci'
import type { ImageLine } from '@carryall/schemas'
import type { LoadedSequence } from '@carryall/sequence'
import type { Carried } from './carried.ts'
import { referenceOf, targetRepository, type Target } from './target.ts'

/** An image with what its name at the destination answers now. */
export interface PlannedImage extends CopyImage {
  readonly line: ImageLine
  readonly state: 'same' | 'absent' | 'movable' | 'conflict'
  readonly present?: string
}

export interface PlanOptions {
  readonly target: Target
  readonly maxNestedPaths: number
  readonly parallel: number
  readonly signal: AbortSignal
  readonly sizeOf: (digest: string) => number
}

/** Asks the destination for every image by name, one request each. Reads only. */
export async function planPush(
  carried: Carried,
  destination: Destination,
  options: PlanOptions,
): Promise<readonly PlannedImage[]> {
  const planned = new Map<ImageLine, PlannedImage>()
  await pool(carried.images, options.parallel, options.signal, async (line) => {
    const image = copyImage(line, options)
    const present = (await destination.head(image.repository, image.tag ?? image.digest, options.signal))
      ?.digest
    const state =
      present === undefined
        ? 'absent'
        : present === line.digest
          ? await stateOfPresent(line, image.repository, destination, options.signal)
          : mayMove(carried, line, present)
            ? 'movable'
            : 'conflict'
    planned.set(line, { ...image, line, state, ...(present === undefined ? {} : { present }) })
  })
  return carried.images.map((line) => planned.get(line)!)
}

/** A referrer that is there and that nobody finds by its subject has not arrived: an earlier push was cut before it was listed. */
async function stateOfPresent(
  { subject, tag, digest }: ImageLine,
  repository: string,
  destination: Destination,
  signal: AbortSignal,
): Promise<'same' | 'absent'> {
  if (subject === undefined || tag !== undefined) return 'same'
  const listed = await destination.referrers(repository, subject, signal)
  if (listed.some((referrer) => referrer.digest === digest)) return 'same'
  const { bytes, mediaType } = await destination.manifest(repository, digest, signal)
  return parseManifest(bytes, mediaType).subject === undefined ? 'same' : 'absent'
}

/**
 * A tag moves only if a sequence of the same chain before the one that brings the image put its present digest there: what
 * anyone else put there is not ours to overwrite, and what a later sequence put there is not taken back.
 */
export function mayMove(carried: Carried, line: ImageLine, present: string): boolean {
  const holds = (sequence: LoadedSequence, digest: string): boolean =>
    sequence.images.some(
      (image) => image.repository === line.repository && image.tag === line.tag && image.digest === digest,
    )
  const brings =
    carried.sequences.findLast((sequence) => holds(sequence, line.digest))?.metadata.sequence_number ?? 0
  return carried.chain.some(
    (sequence) => sequence.metadata.sequence_number < brings && holds(sequence, present),
  )
}

function copyImage(line: ImageLine, { target, maxNestedPaths, sizeOf }: PlanOptions): CopyImage {
  const repository = targetRepository(target, line.repository, maxNestedPaths)
  return {
    name: referenceOf(target, repository, line.tag, line.digest),
    sourceRepository: line.repository,
    repository,
    ...(line.tag === undefined ? {} : { tag: line.tag }),
    digest: line.digest,
    ...(line.subject === undefined ? {} : { attached: true as const }),
    manifests: line.manifests,
    blobs: line.blobs.map((digest) => ({ digest, size: sizeOf(digest) })),
  }
}
