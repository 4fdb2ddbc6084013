import type { ListedImage } from '@carryall/catalog'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { isReferrersTag, pool, type Source } from '@carryall/oci'
import { isDigest, type PlannedSync, type SyncEvent, type SyncSide } from '@carryall/schemas'
import { destinationKey } from './finished.ts'
import type { Gone } from './gone.ts'
import { destinationOf, isExplicit, nameOf, type Pair } from './pairs.ts'
import { syncError } from './sync-error.ts'

/** An image of the source, and what the destination has in its place. */
export interface Surveyed {
  readonly image: ListedImage
  readonly source: SyncSide
  readonly destination: SyncSide
  readonly state: 'missing' | 'same' | 'diverged' | 'unreadable'
  /** At the source, as far as it is known by now. */
  readonly digest?: string | undefined
  readonly present?: string | undefined
  readonly error?: PlannedSync['error']
}

/** Whether a tag is in the lists of the destination, with its digest where they tell it; undefined where they cannot tell. */
export type There = (
  repository: string,
  tag: string,
) => { readonly listed: boolean; readonly digest?: string | undefined } | undefined

export interface ComparePorts {
  readonly source: Source
  readonly destination: Source
  readonly there: There
  readonly gone: Gone
  readonly signal: AbortSignal
  /** What a run that was killed had brought there, by `destinationKey`: it is not asked again. */
  readonly brought?: ReadonlyMap<string, SyncEvent>
}

export interface SurveyPorts extends ComparePorts {
  readonly parallel: number
  readonly onImage?: (image: ListedImage) => void
}

/**
 * Compares the digest of each image with what the destination has: no request where lists told both, else one HEAD on each
 * side, and none for a tag that is in no list of the destination. What has vanished from the source since it was listed is left out.
 */
export async function survey(
  pair: Pair,
  images: readonly ListedImage[],
  ports: SurveyPorts,
): Promise<readonly Surveyed[]> {
  const found: (Surveyed | undefined)[] = []
  await pool(images.entries(), ports.parallel, ports.signal, async ([index, image]) => {
    found[index] = await compare(pair, image, ports)
    ports.onImage?.(image)
  })
  return found.filter((one) => one !== undefined)
}

/** The same for one image; undefined where it has vanished, or is the list of what is attached. */
export async function compare(
  pair: Pair,
  image: ListedImage,
  ports: ComparePorts,
): Promise<Surveyed | undefined> {
  const { signal } = ports
  const source = sideOf(pair.source.registry, image.repository, image.tag)
  const destination = destinationSide(pair, image)
  const base = { image, source, destination }
  try {
    if (image.tag !== undefined && isReferrersTag(image.tag)) {
      const digest = image.digest ?? (await ports.source.head(image.repository, image.tag, signal))?.digest
      if (!namesItself(image.tag, digest)) return undefined
    }
    const brought = ports.brought?.get(destinationKey(destination, image.digest))?.digest
    if (brought !== undefined && (image.digest ?? brought) === brought)
      return { ...base, state: 'same', digest: brought, present: brought }
    const reference = destination.tag ?? image.digest!
    const missing = { ...base, state: 'missing' as const, digest: image.digest }
    const there =
      destination.tag === undefined ? undefined : ports.there(destination.repository, destination.tag)
    if (there?.listed === false) return missing
    const [present, digest] = await Promise.all([
      there?.digest ?? digestOf(ports.destination, destination.repository, reference, signal),
      image.digest ?? digestOf(ports.source, image.repository, image.tag!, signal),
    ])
    if (present === undefined) return missing
    if (digest === undefined) {
      if (!isExplicit(pair) && (await ports.gone(image.repository, image.tag!))) return undefined
      throw notThere(source)
    }
    return { ...base, state: digest === present ? 'same' : 'diverged', digest, present }
  } catch (error) {
    if (signal.aborted || !isCarryallError(error)) throw error
    return { ...base, state: 'unreadable', digest: image.digest, error: syncError(error) }
  }
}

/** Without the referrers API a registry keeps the list of them under such a tag: that is written with what it lists, never copied. */
function namesItself(tag: string, digest: string | undefined): boolean {
  return digest === tag.replace('-', ':')
}

async function digestOf(
  store: Source,
  repository: string,
  reference: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await store.head(repository, reference, signal))?.digest
}

/** Where an image goes: its own tag, unless two single images were named, of which this is one. */
export function destinationSide(pair: Pair, image: ListedImage): SyncSide {
  const { source, destination } = pair
  const wanted = destination.reference
  const isNamed = (image.tag ?? image.digest) === source.reference
  const tag = isNamed && wanted !== undefined && !isDigest(wanted) ? wanted : image.tag
  return sideOf(destination.registry, destinationOf(pair, image.repository), tag)
}

export function sideOf(registry: string, repository: string, tag: string | undefined): SyncSide {
  return { registry, repository, ...(tag === undefined ? {} : { tag }) }
}

function notThere({ registry, repository, tag }: SyncSide): CarryallError {
  const name = `${registry}/${nameOf(repository, tag ?? '')}`
  return new CarryallError('REG_MANIFEST_UNKNOWN', `There is no ${name}`, {
    subject: { kind: 'tag', name },
    hint: 'See what is there with reg-ls',
  })
}
