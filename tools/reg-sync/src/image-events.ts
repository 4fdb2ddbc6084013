import type { SyncedImage } from '@carryall/schemas'
import { nameFor } from './apply-plan.ts'
import type { EventLevel } from './event-log.ts'
import { event, reason, type LogEvent } from './events.ts'
import { logCode, type Doing } from './log-code.ts'

/** What became of an image, or with --check how it was found: one line, and one more where it was found or proven to be there. */
export function imageEvents(image: SyncedImage, doing?: Doing): readonly LogEvent[] {
  const { source, outcome, digest, error, previous_digest: before } = image
  const there = nameFor(image)
  const way = source === undefined ? there : `${nameFor({ destination: source, digest })} -> ${there}`
  const why = error === undefined ? '' : `: ${reason(error)}`
  const sync = (level: EventLevel, code: string, message: string): LogEvent =>
    event(level, code, 'Image Sync', message + way)
  switch (outcome) {
    case 'same':
      return [found(there, digest), sync('INFO', 'SYNC_SKIPPED', 'Already there with the same digest: ')]
    case 'copied':
      return [sync('INFO', 'SYNC_SUCCESS', 'Successfully synced: '), ...proof(image, there)]
    case 'moved':
      return [sync('INFO', 'SYNC_SUCCESS', `Successfully synced, it was ${before}: `), ...proof(image, there)]
    case 'conflict':
      return [
        sync('WARNING', 'SYNC_CONFLICT', `Differs and was left as it is, ${before ?? 'by another digest'}: `),
      ]
    case 'deleted':
      return [event('WARNING', 'IMAGE_DELETED', 'Image Deletion', `Deleted, it was ${before}: ${there}`)]
    case 'failed':
      return [
        event(
          'ERROR',
          error === undefined ? 'SYNC_FAILED' : logCode(error.code, doing),
          'Image Sync',
          way + why,
        ),
      ]
    case 'not_tried':
      return [event('WARNING', 'SYNC_NOT_TRIED', 'Image Sync', way + why)]
    case 'kept':
    case undefined:
      return [checked(image, there, why)]
  }
}

/** Without an outcome, or with none that changed anything. */
function checked(
  { state, digest, previous_digest: before, error }: SyncedImage,
  there: string,
  why: string,
): LogEvent {
  const check = (level: EventLevel, code: string, message: string): LogEvent =>
    event(level, code, 'Image Check', `${message}: ${there}`)
  switch (state) {
    case 'same':
      return found(there, digest)
    case 'missing':
      return check('WARNING', 'IMAGE_MISSING', 'Not at the destination')
    case 'diverged':
      return check('WARNING', 'IMAGE_DIVERGED', `The destination has ${before}, the source ${digest}`)
    case 'extra':
      return check('INFO', 'IMAGE_EXTRA', 'Not at the source')
    case 'unreadable':
      return event(
        'ERROR',
        error === undefined ? 'SYNC_FAILED' : logCode(error.code),
        'Image Check',
        there + why,
      )
  }
}

function found(there: string, digest: string | undefined): LogEvent {
  return event('DEBUG', 'IMAGE_EXISTS', 'Image Check', `${there} is ${digest}`)
}

function proof({ digest, verified }: SyncedImage, there: string): readonly LogEvent[] {
  if (verified === undefined) return []
  const depth = { tag: '', deep: ', with all that belongs to it', sample: ', pulled and hashed' }[verified]
  return [event('INFO', 'IMAGE_VERIFIED', 'Image Verification', `${there} is ${digest}${depth}`)]
}
