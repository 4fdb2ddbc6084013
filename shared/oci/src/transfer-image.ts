import type { BlobCarrier } from './blob-carrier.ts'
import type { CopyImage, CopyOutcome } from './copy-image.ts'
import { placeChildren, placeImage, type PlaceOptions, readBack } from './place-image.ts'
import type { Destination, Source } from './store.ts'

/**
 * Copies one image for itself: its blobs, its child manifests, then its tag, which is read back. Throws what any step throws;
 * the tag is written last, so that it never names what is not whole. `bytes` are those of the blobs that were sent for it.
 */
export async function transferImage(
  image: CopyImage,
  source: Source,
  destination: Destination,
  options: PlaceOptions & { readonly carrier: BlobCarrier },
): Promise<{ readonly outcome: CopyOutcome; readonly bytes: number }> {
  const bring = image.blobs.map((blob) =>
    options.carrier.bring(blob, image.sourceRepository, image.repository),
  )
  // Another image may want the same blob, so that it is left under way where this one ends before.
  const brought = await unlessAborted(Promise.allSettled(bring), options.signal)
  const failed = brought.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const bytes = image.blobs.reduce((sum, { size }, index) => {
    const one = brought[index]!
    return sum + (one.status === 'fulfilled' && one.value === 'uploaded' ? size : 0)
  }, 0)
  await placeChildren(image, source, destination, options)
  const outcome = await placeImage(image, source, destination, options)
  // An attempt that was not proven may have left it: a HEAD is no proof.
  if (outcome.outcome === 'same') await readBack(image, destination, options)
  return { outcome, bytes }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
