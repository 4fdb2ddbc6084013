import { CarryallError, isCarryallError } from '@carryall/errors'
import { pause, type RetryPolicy } from '@carryall/http'
import type { CopyImage, CopyOutcome } from './copy-image.ts'
import { isIndexType } from './media-types.ts'
import type { Destination, Manifest, Source } from './store.ts'

export interface PlaceOptions {
  readonly signal: AbortSignal
  /** For asking again where a registry answers late. */
  readonly retry: RetryPolicy
  /** Whether a tag that holds `present` now may be moved to the image. Asked right before the tag is written. */
  readonly mayMove: (image: CopyImage, present: string) => boolean
  /** The tag that is to name what a moved tag named; none if undefined. */
  readonly backup?: ((image: CopyImage, present: string) => string | undefined) | undefined
}

/** Writes the manifests below an image, which it reads to the last: what they name has to be there. */
export async function placeChildren(
  image: CopyImage,
  source: Source,
  destination: Destination,
  { signal }: Pick<PlaceOptions, 'signal'>,
): Promise<void> {
  const read = (digest: string): Promise<Manifest> => source.manifest(image.sourceRepository, digest, signal)
  const put = (manifest: Manifest): Promise<void> =>
    destination.putManifest(image.repository, manifest.digest, manifest, signal)
  // The image itself is read here as well, so that its bytes are proven before the first tag is written.
  const manifests = await Promise.all(image.manifests.map(read))
  const children = manifests.filter(({ digest }) => digest !== image.digest)
  await Promise.all(children.filter(({ mediaType }) => !isIndexType(mediaType)).map(put))
  for (const index of children.filter(({ mediaType }) => isIndexType(mediaType))) await put(index)
}

/**
 * Gives an image its tag, unless the tag names something that may not be moved, and reads it back. All that belongs to the
 * image is there already. Throws REG_VERIFY_AFTER_PUSH where the tag does not name it then.
 */
export async function placeImage(
  image: CopyImage,
  source: Source,
  destination: Destination,
  options: PlaceOptions,
): Promise<CopyOutcome> {
  const { signal } = options
  const reference = image.tag ?? image.digest
  const present = (await destination.head(image.repository, reference, signal))?.digest
  // What is attached is written once more: the list of the referrers may have been left behind.
  if (present === image.digest && !image.attached) return { outcome: 'same' }
  const moves = present !== undefined && present !== image.digest
  if (moves && !options.mayMove(image, present)) return { outcome: 'conflict', previous: present }
  const manifest = await source.manifest(image.sourceRepository, image.digest, signal)
  const backup = moves ? options.backup?.(image, present) : undefined
  if (backup !== undefined) await keep(image.repository, present!, backup, destination, signal)
  await put(image, reference, manifest, destination, signal)
  await readBack(image, destination, options)
  return moves
    ? { outcome: 'moved', previous: present, ...(backup === undefined ? {} : { backup }) }
    : { outcome: 'pushed' }
}

/** A registry that keeps tags from moving refuses them also where an answer was lost, and the tag is right already. */
async function put(
  image: CopyImage,
  reference: string,
  manifest: Manifest,
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  try {
    await destination.putManifest(image.repository, reference, manifest, signal)
  } catch (error) {
    // What is attached is refused for the tag of its list.
    if (image.tag === undefined || !isCarryallError(error, 'TAG_CONFLICT')) throw error
    if ((await destination.head(image.repository, reference, signal))?.digest !== image.digest) throw error
  }
}

/** A tag that is taken by something else keeps it: it is the backup of an earlier run. */
async function keep(
  repository: string,
  digest: string,
  tag: string,
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  const taken = (await destination.head(repository, tag, signal))?.digest
  if (taken === digest) return
  if (taken !== undefined)
    throw new CarryallError('TAG_CONFLICT', `The backup tag ${tag} of ${repository} names ${taken} already`, {
      subject: { kind: 'tag', name: tag },
      expected: digest,
      actual: taken,
      hint: 'Use {time} or {digest} in the name of the backup, so that each has its own',
    })
  await destination.putManifest(
    repository,
    tag,
    await destination.manifest(repository, digest, signal),
    signal,
  )
}

/**
 * Proves that the image is there under its name: by its bytes, not by what the registry says of them. A registry that answers
 * late is asked again. Throws REG_VERIFY_AFTER_PUSH.
 */
export async function readBack(
  image: CopyImage,
  destination: Destination,
  { signal, retry }: Pick<PlaceOptions, 'signal' | 'retry'>,
): Promise<void> {
  const reference = image.tag ?? image.digest
  for (let attempt = 1; ; attempt += 1) {
    const actual = await digestBehind(image.repository, reference, destination, signal)
    if (actual === image.digest) return
    const failure = new CarryallError(
      'REG_VERIFY_AFTER_PUSH',
      `${image.name} answers with ${actual} after it was pushed`,
      {
        expected: image.digest,
        actual,
        hint: 'Something else writes this tag, or the registry answers late; push again',
        retryable: true,
      },
    )
    await pause(retry, attempt, failure, signal)
  }
}

async function digestBehind(
  repository: string,
  reference: string,
  destination: Destination,
  signal: AbortSignal,
): Promise<string> {
  try {
    return (await destination.manifest(repository, reference, signal)).digest
  } catch (error) {
    if (isCarryallError(error, 'REG_MANIFEST_UNKNOWN')) return 'nothing'
    if (isCarryallError(error, 'DIGEST_MISMATCH')) return 'a digest that is not that of its bytes'
    throw error
  }
}
