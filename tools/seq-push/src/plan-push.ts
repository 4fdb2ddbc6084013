import { pool, type CopyImage, type Destination } from '@carryall/oci'
import type { ImageLine } from '@carryall/schemas'
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
export async function planPush(carried: Carried, destination: Destination, options: PlanOptions): Promise<readonly PlannedImage[]> {
  const planned = new Map<ImageLine, PlannedImage>()
  await pool(carried.images, options.parallel, options.signal, async (line) => {
    const image = copyImage(line, options)
    const present = (await destination.head(image.repository, image.tag ?? image.digest, options.signal))?.digest
    const state = present === undefined ? 'absent' : present === line.digest ? 'same' : mayMove(carried, line, present) ? 'movable' : 'conflict'
    planned.set(line, { ...image, line, state, ...(present === undefined ? {} : { present }) })
  })
  return carried.images.map((line) => planned.get(line)!)
}

/**
 * A tag moves only if an earlier sequence of the same chain put its present digest there: what anyone else put there is
 * not ours to overwrite, and what a later sequence put there is not taken back.
 */
export function mayMove(carried: Carried, line: ImageLine, present: string): boolean {
  const newest = carried.sequences.at(-1)?.metadata.sequence_number ?? 0
  return carried.chain
    .filter((sequence) => sequence.metadata.sequence_number < newest)
    .some((sequence) => sequence.images.some((image) => image.repository === line.repository && image.tag === line.tag && image.digest === present))
}

function copyImage(line: ImageLine, { target, maxNestedPaths, sizeOf }: PlanOptions): CopyImage {
  const repository = targetRepository(target, line.repository, maxNestedPaths)
  return {
    name: referenceOf(target, repository, line.tag, line.digest),
    sourceRepository: line.repository,
    repository,
    ...(line.tag === undefined ? {} : { tag: line.tag }),
    digest: line.digest,
    manifests: line.manifests,
    blobs: line.blobs.map((digest) => ({ digest, size: sizeOf(digest) })),
  }
}
