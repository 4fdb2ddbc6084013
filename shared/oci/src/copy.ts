import { CarryallError } from '@carryall/errors'
import { copyBlobs, type BlobCounts } from './copy-blobs.ts'
import type { CopyImage, CopyOptions, CopyOutcome } from './copy-image.ts'
import { endsRun } from './ends-run.ts'
import { pool } from './pool.ts'
import type { Destination, Source } from './store.ts'

/**
 * Copies images: all blobs, then all child manifests, then the images themselves by tag, what is attached to them last. No tag is written before every
 * byte of every image has hashed; content that does not (82) ends the run with no tag moved. Each tag is read back.
 * Failures of single images are outcomes; what belongs to the whole run (82, an abort) is thrown.
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
  const { counts, failures } = await copyBlobs(images, source, destination, options)
  for (const image of images) {
    const failed = image.blobs.find((blob) => failures.has(blob.digest))
    if (failed !== undefined) settle(image, { outcome: 'failed', error: failures.get(failed.digest) })
  }
  const steps: readonly (readonly [typeof putImage | typeof putChildren, readonly CopyImage[]])[] = [
    [putChildren, images],
    [putImage, images.filter((image) => !image.attached)],
    [putImage, images.filter((image) => image.attached)],
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
  return { outcomes, blobs: counts }
}

async function putChildren(
  image: CopyImage,
  source: Source,
  destination: Destination,
  options: CopyOptions,
): Promise<undefined> {
  for (const digest of image.manifests) {
    const manifest = await source.manifest(image.sourceRepository, digest, options.signal)
    // Read here as well, so that its bytes are proven before the first tag is written.
    if (digest === image.digest) continue
    await destination.putManifest(image.repository, digest, manifest, options.signal)
  }
}

async function putImage(
  image: CopyImage,
  source: Source,
  destination: Destination,
  options: CopyOptions,
): Promise<CopyOutcome> {
  const reference = image.tag ?? image.digest
  const present = (await destination.head(image.repository, reference, options.signal))?.digest
  const moves = present !== undefined && present !== image.digest
  if (moves && !options.mayMove(image, present)) return { outcome: 'conflict', previous: present }
  const manifest = await source.manifest(image.sourceRepository, image.digest, options.signal)
  await destination.putManifest(image.repository, reference, manifest, options.signal)
  const after = (await destination.head(image.repository, reference, options.signal))?.digest
  if (after !== image.digest) {
    throw new CarryallError(
      'REG_VERIFY_AFTER_PUSH',
      `${image.name} answers with ${after ?? 'nothing'} after it was pushed`,
      {
        expected: image.digest,
        actual: after ?? 'nothing',
        hint: 'Something else writes this tag, or the registry answers late; push again',
        retryable: true,
      },
    )
  }
  return moves ? { outcome: 'moved', previous: present } : { outcome: 'pushed' }
}
