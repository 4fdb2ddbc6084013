import { selectTags } from '@carryall/catalog'
import type { Log, Phase } from '@carryall/cli'
import type { Source } from '@carryall/oci'
import type { SyncEvent } from '@carryall/schemas'
import { byRepository } from './by-repository.ts'
import { findExtra, knowsExtra } from './find-extra.ts'
import { goneFrom } from './gone.ts'
import { listDestination } from './list-destination.ts'
import { listSource, type SourceList } from './list-source.ts'
import { mayMove, type Findings } from './make-plan.ts'
import { destinationOf, type Pair } from './pairs.ts'
import type { Ends, Provable } from './ports.ts'
import { resolveImages } from './resolve-images.ts'
import { sideOf, survey, type Surveyed } from './survey.ts'
import { syncError } from './sync-error.ts'
import { verifyImages } from './verify-images.ts'

export interface GatherOptions {
  readonly ends: Ends
  readonly parallel: number
  /** Asks the destination for all that belongs to what has the same digest; what is not whole counts as missing. */
  readonly deep: boolean
  readonly now: Date
  readonly brought?: ReadonlyMap<string, SyncEvent>
  readonly log: Log
  readonly phase: (title: string, items?: number) => Phase
  readonly signal: AbortSignal
  /** Of the source, when it has been listed. */
  readonly onListed?: (repositories: number, images: number) => void
}

/** All that a plan is made of, for one pair: both sides are listed, what differs is read. Writes nothing. */
export async function gather(pair: Pair, options: GatherOptions): Promise<Findings> {
  const { ends, parallel, signal, now } = options
  const source = await ends.source(pair.source)
  const destination = await ends.look(pair.destination)
  const listed = await listSource(pair, source, options)
  const wanted = selectTags(listed.images, pair.tags, now)
  options.onListed?.(byRepository(wanted).size, wanted.length)
  const there = await listDestination(pair, wanted, options)
  const known = (repository: string) =>
    there.known.get(repository) ?? (there.complete ? new Map<string, undefined>() : undefined)
  const gone = goneFrom(source, signal)
  const comparing = options.phase('Comparing', wanted.length)
  const surveyed = await survey(pair, wanted, {
    source,
    destination,
    there: known,
    gone,
    parallel,
    signal,
    ...(options.brought === undefined ? {} : { brought: options.brought }),
    onImage: ({ repository, tag, digest }) => comparing.finished(`${repository}:${tag ?? digest}`),
  }).finally(() => comparing.end())
  const images = await resolveImages(
    options.deep ? await withoutHollow(surveyed, destination, pair, options) : surveyed,
    pair,
    {
      source,
      destination,
      wanted: (image) => image.state === 'missing' || (image.state === 'diverged' && mayMove(pair, image)),
      tagsOf: tagLists(listed, source, signal),
      gone,
      parallel,
      signal,
    },
  )
  const tellsExtra = listed.whole && there.complete && knowsExtra(pair)
  return {
    pair,
    about: {
      source: pair.source.text,
      destination: pair.destination.text,
      source_api: listed.api,
      destination_api: there.api,
      source_complete: listed.complete,
      destination_complete: tellsExtra,
      ...(pair.platforms.length === 0 ? {} : { platforms: [...pair.platforms] }),
      attachments: pair.attachments,
    },
    images: [...images, ...listed.unread.map((one) => unreadable(pair, one))],
    extra: tellsExtra ? findExtra(pair, listed.images, there.known, now) : [],
  }
}

function unreadable(pair: Pair, { image, error }: SourceList['unread'][number]): Surveyed {
  const { registry, repository, tag, digest } = image
  return {
    image,
    source: sideOf(registry, repository, tag),
    destination: sideOf(pair.destination.registry, destinationOf(pair, repository), tag),
    state: 'unreadable',
    digest,
    error: syncError(error),
  }
}

/** A digest says what should be there, not that all of it is. */
async function withoutHollow(
  images: readonly Surveyed[],
  destination: Provable,
  pair: Pair,
  { parallel, signal, ends, phase }: GatherOptions,
): Promise<readonly Surveyed[]> {
  const same = images.filter(({ state }) => state === 'same')
  const proving = phase('Proving', same.length)
  const faults = await verifyImages(same, 'deep', {
    destination: async () => destination,
    platforms: pair.platforms,
    parallel,
    retry: ends.retry,
    signal,
    onImage: ({ image }) => proving.finished(`${image.repository}:${image.tag ?? image.digest}`),
  }).finally(() => proving.end())
  return images.map((image) => (faults.has(image) ? { ...image, state: 'missing' as const } : image))
}

/** All tags of a repository, asked for once where the list does not have them: the list of referrers may be one. */
function tagLists(
  { images, whole }: SourceList,
  source: Source,
  signal: AbortSignal,
): (repository: string) => Promise<ReadonlySet<string> | undefined> {
  const listed = byRepository(images)
  const asked = new Map<string, Promise<ReadonlySet<string> | undefined>>()
  const ask = async (repository: string): Promise<ReadonlySet<string> | undefined> => {
    if (whole) return new Set(listed.get(repository)?.keys())
    try {
      return new Set(await Array.fromAsync(source.tags(repository, signal)))
    } catch (error) {
      if (signal.aborted) throw error
      return undefined
    }
  }
  return (repository) => {
    const known = asked.get(repository) ?? ask(repository)
    asked.set(repository, known)
    return known
  }
}
