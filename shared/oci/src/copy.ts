import { blobCarrier, type BlobCounts } from './blob-carrier.ts'
import { copyBlobs } from './copy-blobs.ts'
import type { CopyImage, CopyOptions, CopyOutcome } from './copy-image.ts'
import { endsRun } from './ends-run.ts'
import { placeChildren, placeImage } from './place-image.ts'
import { pool } from './pool.ts'
import type { Destination, Source } from './store.ts'

/**
 * Copies images as one: all blobs, then all child manifests, then the images themselves by tag, what is attached to them last.
 * No tag is written before every byte of every image has hashed; content that does not (82) ends the run with no tag moved.
 * Each tag is read back. Failures of single images are outcomes; what belongs to the whole run (82, an abort) is thrown.
 */
export async function copyImages(
  images: readonly CopyImage[],
  source: Source,
  destination: Destination,
  options: CopyOptions,
): Promise<{ outcomes: ReadonlyMap<CopyImage, CopyOutcome>; blobs: BlobCounts }> {
  const outcomes = new Map<CopyImage, CopyOutcome>()
  const settle = (image: CopyImage, outcome: CopyOutcome): void => {
    outcomes.set(image, outcome)
    options.onImage?.(image, outcome)
  }
  const carrier = blobCarrier(source, destination, options)
  const failures = await copyBlobs(images, carrier, options)
  for (const image of images) {
    const failed = image.blobs.find((blob) => failures.has(blob.digest))
    if (failed !== undefined) settle(image, { outcome: 'failed', error: failures.get(failed.digest) })
  }
  const steps: readonly (readonly [typeof placeImage | typeof placeChildren, readonly CopyImage[]])[] = [
    [placeChildren, images],
    [placeImage, images.filter((image) => !image.attached)],
    [placeImage, images.filter((image) => image.attached)],
  ]
  for (const [step, all] of steps) {
    const left = all.filter((image) => !outcomes.has(image))
    await pool(left, options.parallel, options.signal, async (image) => {
      try {
        const outcome = await step(image, source, destination, options)
        if (outcome !== undefined) settle(image, outcome)
      } catch (error) {
        if (options.signal.aborted || endsRun(error)) throw error
        settle(image, { outcome: 'failed', error })
      }
    })
  }
  return { outcomes, blobs: carrier.counts }
}
