import { CarryallError, isCarryallError, type ErrorCode } from '@carryall/errors'
import type { RetryPolicy } from '@carryall/http'
import {
  blobCarrier,
  pool,
  transferImage,
  type BlobCarrier,
  type BlobCounts,
  type CopyImage,
  type CopyOutcome,
  type Destination,
  type Source,
} from '@carryall/oci'
import type { PlannedSync, SyncedImage, SyncPlan } from '@carryall/schemas'
import type { HeldBefore } from './held-before.ts'
import { nameOf } from './pairs.ts'
import { syncError } from './sync-error.ts'

/** Codes that say that a registry takes nothing more from anybody: what is left is not tried. */
const GIVEN_UP: readonly ErrorCode[] = [
  'LOGIN_FAILED',
  'REG_READ_ONLY',
  'REG_QUOTA_EXCEEDED',
  'REG_DISK_FULL',
  'REG_GIVEN_UP',
]

export interface ApplyPorts {
  readonly source: (registry: string) => Promise<Source>
  readonly destination: (registry: string) => Promise<Destination>
  readonly retry: RetryPolicy
  readonly parallelImages: number
  /** Blobs at once. */
  readonly parallel: number
  /** Milliseconds for one image with all that belongs to it; 0 is no limit. */
  readonly imageTimeoutMs: number
  /** The plan was made just now, so that the source need not be asked whether it still has what it says. */
  readonly fresh: boolean
  /** Where an earlier part of the run has left blobs. */
  readonly held?: HeldBefore | undefined
  readonly signal: AbortSignal
  readonly ticks: () => number
  readonly onStart?: (image: PlannedSync) => void
  readonly onBytes?: (count: number) => void
  /** Of every image, in the order in which they are done. */
  readonly onImage: (image: PlannedSync, outcome: SyncedImage, error?: unknown) => void
}

/** What came of the images that were to be copied or moved; what was interrupted is not in it. */
export interface Applied {
  readonly outcomes: ReadonlyMap<PlannedSync, SyncedImage>
  readonly errors: readonly unknown[]
  readonly blobs: BlobCounts
}

/**
 * Copies what the plan says, images before what is attached to them, and once more at the end what failed and may be repeated. An
 * image is refused where its tag has moved since: SYNC_SOURCE_MOVED, TAG_CONFLICT. Throws what ends the whole run (82, 74).
 */
export async function applyPlan(
  plan: Pick<SyncPlan, 'blobs'>,
  images: readonly PlannedSync[],
  ports: ApplyPorts,
): Promise<Applied> {
  const outcomes = new Map<PlannedSync, SyncedImage>()
  const failures = new Map<PlannedSync, unknown>()
  const carriers = carriersFor(ports)
  const givenUp = new Map<string, unknown>()
  const work = async (image: PlannedSync): Promise<void> => {
    const { registry } = image.destination
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
    const reason = givenUp.get(registry) ?? givenUp.get(image.source!.registry)
    if (reason !== undefined) return settle({ outcome: 'not_tried', error: syncError(reason) }, reason)
    try {
      settle(await copy(image, plan.blobs, await carriers.get(image), ports))
    } catch (error) {
      if (ports.signal.aborted) throw error
      const host = givenUpBy(error)
      if (host !== undefined) givenUp.set(host, error)
      const conflict = isCarryallError(error, 'TAG_CONFLICT')
      settle({ outcome: conflict ? 'conflict' : 'failed', error: syncError(error) }, error)
    }
  }
  const todo = images.filter(({ action }) => action === 'copy' || action === 'move')
  const all = (some: readonly PlannedSync[]): Promise<void> =>
    pool(some, ports.parallelImages, ports.signal, work)
  try {
    for (const turn of inTurns(todo)) await all(turn)
    await all(todo.filter((image) => mayBeRepeated(failures.get(image))))
  } catch (error) {
    if (!ports.signal.aborted) throw error
  }
  return { outcomes, errors: [...failures.values()], blobs: carriers.counts() }
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
    return { ...outcomeOf(image, outcome), bytes }
  } catch (error) {
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
  return subject !== undefined || /^sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/.test(source?.tag ?? '')
}

function mayBeRepeated(error: unknown): boolean {
  return isCarryallError(error) && error.details.retryable === true && !GIVEN_UP.includes(error.code)
}

/** The registry that takes or gives nothing more; undefined where it is about less than all of it. */
function givenUpBy(error: unknown): string | undefined {
  if (!isCarryallError(error, ...GIVEN_UP)) return undefined
  const { subject } = error.details
  return subject?.kind === 'host' ? subject.name : undefined
}

/** Between one registry and another, with what is known to be where. */
interface Way {
  readonly source: Source
  readonly destination: Destination
  readonly carrier: BlobCarrier
}

function carriersFor({ source, destination, parallel, signal, retry, held, onBytes }: ApplyPorts) {
  const ways = new Map<string, Promise<Way>>()
  const carriers: BlobCarrier[] = []
  const open = async (from: string, to: string): Promise<Way> => {
    const [origin, target] = [await source(from), await destination(to)]
    const mountFrom = held === undefined ? undefined : (digest: string, at: string) => held(to, digest, at)
    const carrier = blobCarrier(origin, target, { parallel, signal, retry, mountFrom, onBytes })
    carriers.push(carrier)
    return { source: origin, destination: target, carrier }
  }
  return {
    get({ source: from, destination: to }: PlannedSync): Promise<Way> {
      const key = `${from!.registry} ${to.registry}`
      const known = ways.get(key) ?? open(from!.registry, to.registry)
      ways.set(key, known)
      return known
    },
    counts: (): BlobCounts =>
      carriers.reduce(
        (sum, { counts }) => ({
          present: sum.present + counts.present,
          mounted: sum.mounted + counts.mounted,
          uploaded: sum.uploaded + counts.uploaded,
          uploadedBytes: sum.uploadedBytes + counts.uploadedBytes,
        }),
        { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 },
      ),
  }
}
