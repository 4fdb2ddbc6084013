import { CarryallError, CODES, Exit, type ErrorCode, type Subject } from '@carryall/errors'
import type { SyncedImage, SyncReport } from '@carryall/schemas'
import { nameFor } from './apply-plan.ts'
import { exitOf } from './exit-of.ts'

/** Up to so many tags that differ each have a line of their own. */
const SHOWN = 5
/** Up to so many reasons for failures. */
const REASONS = 20

/**
 * What is wrong by a report, for stderr: pairs that could not be compared, what failed, by its reason, tags that differ and stay, and,
 * where the destination is not ready for another reason, SYNC_NOT_READY. There is one wherever `exitOf` is not 0.
 */
export function errorsOf(
  report: SyncReport,
  options: { readonly deleteExtra?: boolean } = {},
): readonly CarryallError[] {
  const pairs = report.pairs.flatMap(({ error }) => (error === undefined ? [] : [asError(error)]))
  if (report.mode === 'check') return exitOf(report, options) === Exit.OK ? [] : [...pairs, notReady(report)]
  const { images } = report
  const conflicts = images.filter(({ outcome }) => outcome === 'conflict')
  const failed = images.filter(({ outcome }) => outcome === 'failed' || outcome === 'not_tried')
  const errors = [
    ...pairs,
    ...(conflicts.length > SHOWN ? [severalDiffer(conflicts)] : conflicts.map(differs)),
    ...notDone([...Map.groupBy(failed, reasonOf).values()]),
  ]
  return errors.length > 0 || report.readiness.ready ? errors : [notReady(report)]
}

function differs(image: SyncedImage): CarryallError {
  const { destination, digest, previous_digest: present } = image
  const name = nameFor(image)
  return new CarryallError(
    'TAG_CONFLICT',
    `${name} names ${present ?? 'another digest'} and was left as it is`,
    {
      subject: subjectOf(image),
      ...(digest === undefined ? {} : { expected: digest }),
      ...(present === undefined ? {} : { actual: present }),
      hint: `Where it may be overwritten, sync or plan again with --policy '${destination.tag ?? '*'}=move'`,
    },
  )
}

function severalDiffer(images: readonly SyncedImage[]): CarryallError {
  const [first] = images
  return new CarryallError(
    'TAG_CONFLICT',
    `${images.length} tags name other digests and were left as they are, such as ${nameFor(first!)}`,
    {
      subject: subjectOf(first!),
      hint: "The report names them; where they may be overwritten, sync or plan again with --policy 'GLOB=move'",
    },
  )
}

function notDone(groups: readonly (readonly SyncedImage[])[]): readonly CarryallError[] {
  const told = groups.slice(0, REASONS).map(notDoneFor)
  const rest = groups.slice(REASONS).flat().length
  if (rest === 0) return told
  const message = `${rest} more images failed, each for its own reason`
  return [...told, new CarryallError('ITEMS_FAILED', message, { hint: 'The report names them all' })]
}

/** What the same thing has kept from being done. */
function notDoneFor(images: readonly SyncedImage[]): CarryallError {
  const first = images[0]!
  const { state, error } = first
  const name = nameFor(first)
  const done = state === 'extra' ? 'deleted' : 'copied'
  const why = error === undefined ? 'the run ended before' : error.message
  const what =
    images.length === 1
      ? `${name} was not ${done}`
      : `${images.length} images were not ${done}, such as ${name}`
  const { code, details } = asError(error ?? { code: 'ITEMS_FAILED', message: why })
  return new CarryallError(code, images.length === 1 && why.startsWith(name) ? why : `${what}: ${why}`, {
    ...details,
    subject: subjectOf(first),
  })
}

function reasonOf({ state, error }: SyncedImage): string {
  return `${state === 'extra'} ${error?.code} ${error?.message}`
}

function asError({ code, message, hint }: NonNullable<SyncedImage['error']>): CarryallError {
  const known = Object.hasOwn(CODES, code) ? (code as ErrorCode) : 'ITEMS_FAILED'
  return new CarryallError(known, message, hint === undefined ? {} : { hint })
}

function subjectOf(image: SyncedImage): Subject {
  const { digest } = image
  return { kind: 'tag', name: nameFor(image), ...(digest === undefined ? {} : { digest }) }
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
    {
      expected: images,
      actual: there,
      hint:
        missing + unreadable > 0
          ? 'Run reg-sync without --check, then check again'
          : there === images && !ready
            ? 'See with reg-ls what cannot be listed'
            : "The report names what differs; --policy 'GLOB=move' lets tags be overwritten, --delete-extra removes what is extra",
    },
  )
}
