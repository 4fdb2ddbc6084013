import type { PlannedSync, SyncedImage, SyncEvent, SyncSide } from '@carryall/schemas'
import { synced } from './apply-plan.ts'

const DONE: ReadonlySet<string | undefined> = new Set(['same', 'copied', 'moved', 'deleted', 'kept'])
const FAILED: ReadonlySet<string | undefined> = new Set(['failed', 'not_tried'])

/** What an image is known by in a run: `registry/repository:tag`, or `registry/repository@digest` where it has no tag. */
export function destinationKey({ registry, repository, tag }: SyncSide, digest?: string): string {
  return `${registry}/${repository}${tag === undefined ? `@${digest ?? ''}` : `:${tag}`}`
}

/**
 * The events of the last runs of a plan, as long as no other plan came after them, and since one of them has done all of it: what
 * was there at the end of that may be gone by now.
 */
export function ofPlan(events: readonly SyncEvent[], planDigest: string): readonly SyncEvent[] {
  const other = events.findLastIndex(
    ({ event, plan_digest: plan, exit }) =>
      (event === 'begin' && plan !== planDigest) || (event === 'end' && exit === 0),
  )
  const next = events.findIndex(({ event }, at) => at > other && event === 'begin')
  return next < 0 ? [] : events.slice(next)
}

/** The events of the runs at the end of a journal that were not ended: killed, or without power. */
export function unended(events: readonly SyncEvent[]): readonly SyncEvent[] {
  return events.slice(events.findLastIndex(({ event }) => event === 'end') + 1)
}

/** The images of a journal that need not be asked for again, by `destinationKey`. The last word on an image counts. */
export function finished(events: Iterable<SyncEvent>): ReadonlyMap<string, SyncEvent> {
  return filtered(events, DONE)
}

/** The images of a journal that failed or were not tried, by `destinationKey`, for `--retry-failed`. The last word counts. */
export function failedIn(events: Iterable<SyncEvent>): ReadonlyMap<string, SyncEvent> {
  return filtered(events, FAILED)
}

/**
 * What the report says of an image that an earlier part of the run has finished; undefined where it is to be done, also because
 * it was another digest that was finished.
 */
export function doneBefore(
  done: ReadonlyMap<string, SyncEvent>,
  image: PlannedSync,
): SyncedImage | undefined {
  const { destination, digest, state, present, backup_tag } = image
  const event = done.get(destinationKey(destination, digest))
  if (event?.outcome === undefined) return undefined
  const { outcome, verified, previous_digest, bytes, milliseconds } = event
  const isGone = outcome === 'deleted' && previous_digest === present
  if (state === 'extra' ? !isGone && outcome !== 'kept' : event.digest !== digest) return undefined
  return synced(image, {
    outcome,
    ...(verified === undefined ? {} : { verified }),
    ...(previous_digest === undefined ? {} : { previous_digest }),
    ...(outcome !== 'moved' || backup_tag === undefined ? {} : { backup_tag }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(milliseconds === undefined ? {} : { seconds: milliseconds / 1000 }),
  })
}

function filtered(
  events: Iterable<SyncEvent>,
  outcomes: ReadonlySet<string | undefined>,
): ReadonlyMap<string, SyncEvent> {
  const last = new Map<string, SyncEvent>()
  for (const event of events) {
    if (event.event === 'image' && event.destination !== undefined)
      last.set(destinationKey(event.destination, event.digest), event)
  }
  return new Map([...last].filter(([, { outcome }]) => outcomes.has(outcome)))
}
