import { CarryallError, isCarryallError } from '@carryall/errors'
import {
  isCosignTag,
  pool,
  transferImage,
  type BlobCounts,
  type CopyImage,
  type CopyOutcome,
  type Source,
} from '@carryall/oci'
import type { PlannedSync, SyncedImage, SyncPlan } from '@carryall/schemas'
import { GIVEN_UP, places } from './given-up.ts'
import { nameOf } from './pairs.ts'
import { syncError } from './sync-error.ts'
import { waysBetween, type Way, type WayPorts } from './ways.ts'

export interface ApplyPorts extends WayPorts {
  readonly parallelImages: number
  /** Milliseconds for one image with all that belongs to it; 0 is no limit. */
  readonly imageTimeoutMs: number
  /** The plan was made just now, so that the source need not be asked whether it still has what it says. */
  readonly fresh: boolean
  readonly ticks: () => number
  readonly onStart?: (image: PlannedSync) => void
  /** Of every image, in the order in which they are done. */
  readonly onImage: (image: PlannedSync, outcome: SyncedImage, error?: unknown) => void
}

/** What came of the images that were to be copied or moved; what was interrupted is not in it. */
export interface Applied {
  readonly outcomes: ReadonlyMap<PlannedSync, SyncedImage>
  readonly blobs: BlobCounts
}

/**
 * Copies images that the plan says are to be copied or moved, images before what is attached to them, and once more at the end what failed and may be repeated. An
 * image is refused where its tag has moved since: SYNC_SOURCE_MOVED, TAG_CONFLICT. Throws what ends the whole run (82, 74).
 */
export async function applyPlan(
  plan: Pick<SyncPlan, 'blobs'>,
  copies: readonly PlannedSync[],
  ports: ApplyPorts,
): Promise<Applied> {
  const outcomes = new Map<PlannedSync, SyncedImage>()
  const failures = new Map<PlannedSync, unknown>()
  // What images that took too long have left under way ends with the run.
  const end = new AbortController()
  const carriers = waysBetween(copies, { ...ports, signal: AbortSignal.any([ports.signal, end.signal]) })
  const given = places()
  const work = async (image: PlannedSync): Promise<void> => {
    ports.onStart?.(image)
    const started = ports.ticks()
    const settle = (outcome: Partial<SyncedImage>, error?: unknown): void => {
      const seconds = Math.round(ports.ticks() - started) / 1000
      const done = synced(image, { ...outcome, ...(outcome.outcome === 'not_tried' ? {} : { seconds }) })
      outcomes.set(image, done)
      if (error === undefined) failures.delete(image)
      else failures.set(image, error)
      ports.onImage(image, done, error)
    }
    const reason = given.against(image)
    if (reason !== undefined) return settle({ outcome: 'not_tried', error: syncError(reason) }, reason)
    try {
      settle(await copy(image, plan.blobs, await carriers.get(image), ports))
    } catch (error) {
      if (ports.signal.aborted) throw error
      given.learn(error)
      const conflict = isCarryallError(error, 'TAG_CONFLICT')
      settle({ outcome: conflict ? 'conflict' : 'failed', error: syncError(error) }, error)
    }
  }
  const all = (some: readonly PlannedSync[]): Promise<void> =>
    pool(some, ports.parallelImages, ports.signal, work)
  try {
    for (const turn of inTurns(copies)) await all(turn)
    await all(copies.filter((image) => mayBeRepeated(failures.get(image))))
  } catch (error) {
    if (!ports.signal.aborted) throw error
  } finally {
    end.abort()
  }
  return { outcomes, blobs: carriers.counts() }
}

/** How an image comes out in reports. */
export function synced(image: PlannedSync, outcome: Partial<SyncedImage>): SyncedImage {
  return {
    ...(image.source === undefined ? {} : { source: image.source }),
    destination: image.destination,
    ...(image.digest === undefined ? {} : { digest: image.digest }),
    state: image.state,
    ...outcome,
  }
}

async function copy(
  image: PlannedSync,
  sizes: SyncPlan['blobs'],
  { carrier, source, destination }: Way,
  ports: ApplyPorts,
): Promise<Partial<SyncedImage>> {
  const limit = ports.imageTimeoutMs > 0 ? AbortSignal.timeout(ports.imageTimeoutMs) : undefined
  const signal = limit === undefined ? ports.signal : AbortSignal.any([ports.signal, limit])
  try {
    if (!ports.fresh) await requireUnmoved(image, source, signal)
    const { outcome, bytes } = await transferImage(copyImage(image, sizes), source, destination, {
      carrier,
      signal,
      retry: ports.retry,
      mayMove: (_image, present) => image.action === 'move' && present === image.present,
      backup: () => image.backup_tag,
    })
    const done = outcomeOf(image, outcome)
    // Its tag was there, but not all that belongs to it.
    const isRepaired = done.outcome === 'same' && (bytes > 0 || image.error !== undefined)
    return { ...done, ...(isRepaired ? { outcome: 'copied' } : {}), bytes }
  } catch (error) {
    if (image.platforms !== undefined && isCarryallError(error, 'REG_REFUSED')) throw wantsAll(error)
    if (limit?.aborted !== true || ports.signal.aborted) throw error
    throw new CarryallError(
      'NET_TIMEOUT',
      `${nameFor(image)} took longer than ${ports.imageTimeoutMs / 1000} s`,
      {
        subject: { kind: 'tag', name: nameFor(image) },
        hint: 'Give it more time with --image-timeout, and run the same command again: what has arrived is not sent again',
        cause: error,
      },
    )
  }
}

/** Which a registry that takes no sparse index says in words of its own. */
function wantsAll(error: CarryallError): CarryallError {
  return new CarryallError(error.code, error.message, {
    ...error.details,
    hint: 'If the registry takes whole indexes only, copy all platforms: leave --platform out',
    cause: error,
  })
}

function outcomeOf(image: PlannedSync, outcome: CopyOutcome): Partial<SyncedImage> {
  switch (outcome.outcome) {
    case 'failed':
      throw outcome.error
    case 'conflict':
      throw new CarryallError(
        'TAG_CONFLICT',
        `${nameFor(image)} names ${outcome.previous} and was left as it is`,
        {
          subject: { kind: 'tag', name: nameFor(image) },
          expected: image.present ?? 'nothing',
          actual: outcome.previous,
          hint: 'Somebody else has written this tag; make a new plan, and give --policy TAG=move where it may be overwritten',
        },
      )
    case 'moved':
      return {
        outcome: 'moved',
        verified: 'tag',
        previous_digest: outcome.previous,
        ...(outcome.backup === undefined ? {} : { backup_tag: outcome.backup }),
      }
    case 'pushed':
      return { outcome: 'copied', verified: 'tag' }
    case 'same':
      return { outcome: 'same', verified: 'tag' }
  }
}

async function requireUnmoved(image: PlannedSync, source: Source, signal: AbortSignal): Promise<void> {
  const { tag, repository } = image.source!
  if (tag === undefined) return
  const now = (await source.head(repository, tag, signal))?.digest
  if (now === image.digest) return
  throw new CarryallError(
    'SYNC_SOURCE_MOVED',
    `${image.source!.registry}/${repository}:${tag} has moved since the plan was made`,
    {
      subject: { kind: 'tag', name: `${image.source!.registry}/${repository}:${tag}` },
      expected: image.digest!,
      actual: now ?? 'nothing',
      hint: 'Make a new plan with reg-sync plan',
    },
  )
}

function copyImage(image: PlannedSync, sizes: SyncPlan['blobs']): CopyImage {
  return {
    name: nameFor(image),
    sourceRepository: image.source!.repository,
    repository: image.destination.repository,
    ...(image.destination.tag === undefined ? {} : { tag: image.destination.tag }),
    digest: image.digest!,
    ...(image.attached_to === undefined ? {} : { attached: true as const }),
    manifests: image.manifests ?? [],
    blobs: (image.blobs ?? []).map((digest) => ({ digest, size: sizes[digest]! })),
  }
}

/** The destination's name of an image, for messages. */
export function nameFor({
  destination: { registry, repository, tag },
  digest,
}: Pick<PlannedSync, 'destination' | 'digest'>): string {
  return `${registry}/${nameOf(repository, tag ?? digest ?? '')}`
}

/** What is attached comes after all that it may be attached to. */
export function inTurns(images: readonly PlannedSync[]): readonly (readonly PlannedSync[])[] {
  return [images.filter((image) => !isAttached(image)), images.filter(isAttached)]
}

function isAttached({ attached_to: subject, source }: PlannedSync): boolean {
  return subject !== undefined || isCosignTag(source?.tag ?? '')
}

function mayBeRepeated(error: unknown): boolean {
  return isCarryallError(error) && error.details.retryable === true && !GIVEN_UP.includes(error.code)
}
