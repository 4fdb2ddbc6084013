import { CarryallError, CODES, Exit, type ErrorCode } from '@carryall/errors'
import type { SyncedImage, SyncReport } from '@carryall/schemas'
import { nameFor } from './apply-plan.ts'
import { exitOf } from './exit-of.ts'

/**
 * What is wrong by a report, for stderr: each image that failed, each tag that differs and stays, and, where the destination is not
 * ready for another reason, SYNC_NOT_READY. There is one wherever `exitOf` is not 0.
 */
export function errorsOf(
  report: SyncReport,
  options: { readonly deleteExtra?: boolean } = {},
): readonly CarryallError[] {
  if (report.mode === 'check') return exitOf(report, options) === Exit.OK ? [] : [notReady(report)]
  const errors = report.images.flatMap(errorOf)
  return errors.length > 0 || report.readiness.ready ? errors : [notReady(report)]
}

function errorOf(image: SyncedImage): readonly CarryallError[] {
  const { state, outcome, error, digest, previous_digest: present } = image
  const name = nameFor(image)
  const subject = { kind: 'tag', name, ...(digest === undefined ? {} : { digest }) } as const
  if (outcome === 'conflict') {
    return [
      new CarryallError(
        'TAG_CONFLICT',
        `${name} names ${present ?? 'another digest'} and was left as it is`,
        {
          subject,
          ...(digest === undefined ? {} : { expected: digest }),
          ...(present === undefined ? {} : { actual: present }),
          hint: 'Give --policy TAG=move where it may be overwritten',
        },
      ),
    ]
  }
  if (outcome !== 'failed' && outcome !== 'not_tried') return []
  const code = error !== undefined && Object.hasOwn(CODES, error.code) ? (error.code as ErrorCode) : undefined
  const why = error === undefined ? 'the run ended before' : error.message
  return [
    new CarryallError(
      code ?? 'ITEMS_FAILED',
      `${name} was not ${state === 'extra' ? 'deleted' : 'copied'}: ${why}`,
      { subject },
    ),
  ]
}

function notReady({ readiness, pairs }: SyncReport): CarryallError {
  const { ready, images, in_sync: there, missing, diverged, unreadable, extra } = readiness
  const short = [
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(diverged > 0 ? [`${diverged} diverged`] : []),
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
    ...(ready ? [`${extra} extra`] : []),
  ]
  const what = short.length > 0 ? short.join(', ') : 'but the source was not listed to its end'
  return new CarryallError(
    'SYNC_NOT_READY',
    `${pairs.map(({ destination }) => destination).join(', ')}: ${there} of ${images} images are in sync, ${what}`,
    { expected: images, actual: there, hint: 'Run reg-sync without --check, then check again' },
  )
}
