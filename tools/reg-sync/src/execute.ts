import type { Phase } from '@carryall/cli'
import type { BlobCounts, Destination } from '@carryall/oci'
import type { PlannedSync, SyncedImage, SyncPlan } from '@carryall/schemas'
import { applyPlan, inTurns, synced } from './apply-plan.ts'
import { asPlanned } from './as-planned.ts'
import { deleteExtra } from './delete-extra.ts'
import { placeOf } from './ends.ts'
import { destinationKey, doneBefore } from './finished.ts'
import { begunBefore, heldBefore, type HeldBefore } from './held-before.ts'
import type { Journal } from './journal.ts'
import type { Ends } from './ports.ts'
import { syncError } from './sync-error.ts'
import { verifyImages } from './verify-images.ts'
import { chosen, type VerifyMode } from './verify-mode.ts'

export interface ExecuteOptions {
  readonly ends: Ends
  readonly journal: Journal
  /** The plan was made just now. */
  readonly fresh: boolean
  readonly verify: VerifyMode
  readonly parallelImages: number
  /** Blobs at once. */
  readonly parallel: number
  readonly imageTimeoutMs: number
  /** Whether a repository of the destination belongs to the part of the plan that this run takes. */
  readonly covers: (repository: string) => boolean
  readonly signal: AbortSignal
  readonly random: () => number
  /** Milliseconds of a clock that never jumps. */
  readonly ticks: () => number
  readonly phase: (title: string, total: { readonly items: number; readonly bytes?: number }) => Phase
  /** Of each image that is done, here or by an earlier part of this run. */
  readonly onImage: (image: PlannedSync, outcome: SyncedImage, error?: unknown) => void
  readonly onBytes?: (count: number) => void
}

export interface Executed {
  readonly outcomes: ReadonlyMap<PlannedSync, SyncedImage>
  readonly blobs: BlobCounts
  /** Something was written to the destination. */
  readonly changed: boolean
}

/**
 * Does what a plan says and no earlier run has done: copies, then deletes where every copy succeeded, then proves. Every outcome goes
 * to the journal. Where it is interrupted it comes back with what is done. The deletions of the plan were checked before. Throws what ends
 * a whole run (74, 82).
 */
export async function execute(plan: SyncPlan, options: ExecuteOptions): Promise<Executed> {
  const { ends, signal } = options
  const covered = plan.images.filter(({ destination }) => options.covers(destination.repository))
  const outcomes = new Map<PlannedSync, SyncedImage>()
  const take = (found: ReadonlyMap<PlannedSync, SyncedImage>): void => {
    for (const [image, outcome] of found) outcomes.set(image, outcome)
  }
  const todo = covered.filter((image) => {
    const before = doneBefore(options.journal.done, image)
    if (before !== undefined) outcomes.set(image, before)
    const isIdle = image.action === 'none' || image.action === 'refuse'
    if (before !== undefined || isIdle) options.onImage(image, before ?? asPlanned(image, 'sync'))
    return before === undefined
  })
  const destination = (registry: string): Promise<Destination> => ends.destination(placeOf(registry))
  const held = options.journal.resumed ? heldBy(covered, outcomes, destination, options) : undefined
  const { blobs, outcomes: copied } = await copy(plan, todo, destination, { ...options, held })
  take(copied)
  const failed = [...copied.values()].some(({ outcome }) => outcome === 'failed' || outcome === 'not_tried')
  const doomed = todo.filter(({ action }) => action === 'delete')
  if (failed) take(new Map(doomed.map((image) => [image, notDeleted(image)])))
  else if (doomed.length > 0 && !signal.aborted)
    take(await deleteExtra(doomed, { ...options, destination, onImage: recorded(options) }))
  if (!signal.aborted) take(await prove(covered, outcomes, destination, options))
  await ends.publish()
  const written = [...copied.values(), ...doomed.map((image) => outcomes.get(image))]
  return {
    outcomes,
    blobs,
    changed:
      written.some((one) => ['copied', 'moved', 'deleted'].includes(one?.outcome ?? '')) ||
      blobs.uploaded > 0,
  }
}

/** What the journal's earlier part has brought there, or begun to. */
function heldBy(
  covered: readonly PlannedSync[],
  done: ReadonlyMap<PlannedSync, SyncedImage>,
  destination: (registry: string) => Promise<Destination>,
  { parallelImages, signal }: ExecuteOptions,
): HeldBefore {
  const copies = covered.filter(({ action }) => action === 'copy' || action === 'move')
  const isDone = (image: PlannedSync): boolean => done.has(image)
  const begun = inTurns(copies).flatMap((turn) => begunBefore(turn, isDone, parallelImages))
  return heldBefore({ done: copies.filter(isDone), begun, destination, signal })
}

function notDeleted(image: PlannedSync): SyncedImage {
  const message = 'nothing is deleted where something else was not copied'
  return synced(image, { outcome: 'not_tried', error: { code: 'ITEMS_FAILED', message } })
}

function recorded({ journal, onImage }: ExecuteOptions) {
  return (image: PlannedSync, outcome: SyncedImage, error?: unknown): void => {
    journal.image(outcome)
    onImage(image, outcome, error)
  }
}

async function copy(
  plan: SyncPlan,
  todo: readonly PlannedSync[],
  destination: (registry: string) => Promise<Destination>,
  options: ExecuteOptions & { readonly held: HeldBefore | undefined },
): ReturnType<typeof applyPlan> {
  const copies = todo.filter(({ action }) => action === 'copy' || action === 'move')
  const blobs = new Set(copies.flatMap((image) => image.blobs ?? []))
  const bytes = [...blobs].reduce((sum, digest) => sum + (plan.blobs[digest] ?? 0), 0)
  const phase = options.phase('Copying', { items: copies.length, bytes })
  const record = recorded(options)
  try {
    return await applyPlan(plan, copies, {
      ...options,
      source: (registry) => options.ends.source(placeOf(registry)),
      destination,
      retry: options.ends.retry,
      onStart: (image) => phase.started(destinationKey(image.destination, image.digest)),
      onBytes(count) {
        phase.advanced(count)
        options.onBytes?.(count)
      },
      onImage(image, outcome, error) {
        const name = destinationKey(image.destination, image.digest)
        if (error === undefined) phase.finished(name, outcome.outcome)
        else phase.failed(name, error)
        record(image, outcome, error)
      },
    })
  } finally {
    phase.end()
  }
}

/** What is not whole has failed, whatever its tag says. */
async function prove(
  covered: readonly PlannedSync[],
  outcomes: ReadonlyMap<PlannedSync, SyncedImage>,
  destination: (registry: string) => Promise<Destination>,
  options: ExecuteOptions,
): Promise<ReadonlyMap<PlannedSync, SyncedImage>> {
  const { verify, signal } = options
  const there = covered.filter((image) => {
    const outcome = outcomes.get(image)?.outcome ?? (image.state === 'same' ? 'same' : undefined)
    return outcome === 'same' || outcome === 'copied' || outcome === 'moved'
  })
  const proven = new Map<PlannedSync, SyncedImage>()
  // What was the same was asked for while the plan was made.
  const isProven = (image: PlannedSync): boolean =>
    options.fresh && verify.depth === 'deep' && image.state === 'same'
  for (const image of there.filter(isProven))
    proven.set(image, { ...(outcomes.get(image) ?? asPlanned(image, 'sync')), verified: 'deep' })
  const images = chosen(
    there.filter((image) => !isProven(image)),
    verify,
    options.random,
  )
  if (verify.depth === 'tag' || images.length === 0) return proven
  const phase = options.phase('Verifying', { items: images.length })
  const record = recorded(options)
  try {
    await verifyImages(images, verify.depth, {
      destination,
      parallel: options.parallelImages,
      retry: options.ends.retry,
      signal,
      onImage(image, fault) {
        const name = destinationKey(image.destination, image.digest)
        const before = outcomes.get(image) ?? asPlanned(image, 'sync')
        if (fault === undefined) {
          proven.set(image, { ...before, verified: verify.depth })
          return phase.finished(name)
        }
        phase.failed(name, fault)
        const outcome = { ...before, outcome: 'failed' as const, error: syncError(fault) }
        proven.set(image, outcome)
        record(image, outcome, fault)
      },
    })
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    phase.end()
  }
  return proven
}
