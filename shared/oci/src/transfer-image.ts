import type { BlobCarrier } from './blob-carrier.ts'
import type { CopyImage, CopyOutcome } from './copy-image.ts'
import { placeChildren, placeImage, type PlaceOptions } from './place-image.ts'
import type { Destination, Source } from './store.ts'

/**
 * Copies one image for itself: its blobs, its child manifests, then its tag, which is read back. Throws what any step throws;
 * the tag is written last, so that it never names what is not whole.
 */
export async function transferImage(
  image: CopyImage,
  source: Source,
  destination: Destination,
  options: PlaceOptions & { readonly carrier: BlobCarrier },
): Promise<CopyOutcome> {
  const bring = image.blobs.map((blob) =>
    options.carrier.bring(blob, image.sourceRepository, image.repository),
  )
  const failed = (await Promise.allSettled(bring)).find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  await placeChildren(image, source, destination, options)
  return placeImage(image, source, destination, options)
}
