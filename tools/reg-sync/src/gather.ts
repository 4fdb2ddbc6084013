import { selectTags, type ListedImage } from '@carryall/catalog'
import type { Log, Phase } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { isCosignTag } from '@carryall/oci'
import type { SyncEvent } from '@carryall/schemas'
import { byRepository } from './by-repository.ts'
import { findExtra, knowsExtra } from './find-extra.ts'
import { destinationKey } from './finished.ts'
import { goneFrom } from './gone.ts'
import { listDestination, type DestinationList } from './list-destination.ts'
import { listSource, type SourceList } from './list-source.ts'
import { mayMove, type Findings } from './make-plan.ts'
import { destinationOf, nameOf, type Pair } from './pairs.ts'
import type { Ends, Provable } from './ports.ts'
import { resolveImages } from './resolve-images.ts'
import { sourceTags } from './source-tags.ts'
import { compare, destinationSide, sideOf, survey, type Surveyed, type There } from './survey.ts'
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
  readonly onListed?: (repositories: number, images: number) => Promise<void>
}

/** All that a plan is made of, for one pair: both sides are listed, what differs is read. Writes nothing. */
export async function gather(pair: Pair, options: GatherOptions): Promise<Findings> {
  const { ends, parallel, signal, now } = options
  const source = await ends.source(pair.source)
  const destination = await ends.look(pair.destination)
  const listed = await listSource(pair, source, options)
  refuseEmpty(pair, listed)
  const wanted = selectTags(candidates(pair, listed.images), pair.tags, now)
  await options.onListed?.(byRepository(wanted).size, wanted.length)
  const there = await listDestination(pair, wanted, options)
  const gone = goneFrom(source, signal)
  const ports = {
    source,
    destination,
    there: lookUp(there),
    gone,
    parallel,
    signal,
    ...(options.brought === undefined ? {} : { brought: options.brought }),
  }
  const comparing = options.phase('Comparing', wanted.length)
  const surveyed = await survey(pair, wanted, {
    ...ports,
    onImage: ({ repository, tag, digest }) => comparing.finished(`${repository}:${tag ?? digest}`),
  }).finally(() => comparing.end())
  const images = await resolveImages(
    options.deep ? await withoutHollow(surveyed, destination, pair, options) : surveyed,
    pair,
    {
      ...ports,
      wanted: (image) => image.state === 'missing' || (image.state === 'diverged' && mayMove(pair, image)),
      compare: (image) => compare(pair, image, ports),
      tagsOf: sourceTags(listed, source, signal),
      onLeftOut: ({ source: { registry, repository, tag }, digest }) =>
        options.log.info(
          `Left out, it has nothing for ${pair.platforms.join(', ')}: ${registry}/${nameOf(repository, tag ?? digest!)}`,
        ),
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
    names: new Set(listed.images.map((image) => destinationKey(destinationSide(pair, image), image.digest))),
    extra: tellsExtra ? findExtra(pair, listed, there.known, now) : [],
  }
}

/** A name that is misspelt, or an account that sees nothing, must not pass for a source that is in sync. */
function refuseEmpty({ source, listed }: Pair, { images, unread }: SourceList): void {
  if (listed !== undefined || images.length > 0 || unread.length > 0) return
  throw new CarryallError('INPUT_EMPTY', `There is nothing in ${source.text} that is to be copied`, {
    subject: { kind: 'host', name: source.registry },
    hint: 'Check its name, the filters of repositories, and with reg-ls whether the account sees what is there',
  })
}

/** Without attachments the tags of cosign are left out, too, unless one was named. */
function candidates(pair: Pair, images: readonly ListedImage[]): readonly ListedImage[] {
  if (pair.attachments || pair.source.reference !== undefined) return images
  return images.filter(({ tag }) => tag === undefined || !isCosignTag(tag))
}

function lookUp({ known, complete, hidesAttached }: DestinationList): There {
  return (repository, tag) => {
    const tags = known.get(repository)
    if (tags?.has(tag)) return { listed: true, digest: tags.get(tag) }
    const mayBeHidden = hidesAttached && isCosignTag(tag)
    return mayBeHidden || (tags === undefined && !complete) ? undefined : { listed: false }
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
  const { platforms } = pair
  const proved = images.map((image) => ({ ...image, platforms }))
  const same = proved.filter(({ state }) => state === 'same')
  const proving = phase('Proving', same.length)
  const faults = await verifyImages(same, 'deep', {
    destination: async () => destination,
    parallel,
    retry: ends.retry,
    signal,
    onImage: ({ image }) => proving.finished(`${image.repository}:${image.tag ?? image.digest}`),
  }).finally(() => proving.end())
  return proved.map((image) => {
    const fault = faults.get(image)
    if (fault === undefined) return image
    const state = fault.code === 'REG_VERIFY_AFTER_PUSH' ? 'missing' : 'unreadable'
    return { ...image, state, error: syncError(fault) } as const
  })
}
