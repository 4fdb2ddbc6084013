import type { PlannedSync, SyncedImage, SyncReport } from '@carryall/schemas'
import { synced } from './apply-plan.ts'

/** How an image comes out that nothing was done for, in a check or in a run. */
export function asPlanned(planned: PlannedSync, mode: SyncReport['mode']): SyncedImage {
  return mode === 'check' ? checked(planned) : untouched(planned)
}

/** With --check: as it was found. */
function checked(planned: PlannedSync): SyncedImage {
  const { present, error } = planned
  return synced(planned, {
    ...(present === undefined ? {} : { previous_digest: present }),
    ...(error === undefined ? {} : { error }),
  })
}

/** After a run: what nothing was to be done for came out as planned, the rest was not tried. */
function untouched(planned: PlannedSync): SyncedImage {
  const { state, action, present, error } = planned
  if (action === 'refuse')
    return synced(planned, {
      outcome: 'conflict',
      ...(present === undefined ? {} : { previous_digest: present }),
    })
  if (action !== 'none') return synced(planned, { outcome: 'not_tried' })
  if (state === 'same') return synced(planned, { outcome: 'same' })
  if (state === 'extra') return synced(planned, { outcome: 'kept' })
  return synced(planned, { outcome: 'failed', ...(error === undefined ? {} : { error }) })
}
