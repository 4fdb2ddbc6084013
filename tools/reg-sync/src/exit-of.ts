import { CODES, Exit, strongest, STRONGEST_FIRST, type ErrorCode, type ExitCode } from '@carryall/errors'
import type { SyncedImage, SyncReport } from '@carryall/schemas'
import { GIVEN_UP } from './given-up.ts'

/**
 * The exit code that a report stands for. Of a check: 0 where the destination is ready, else by class: 83 missing, or not all was
 * listed, 84 diverged, 69 unreadable. Of a run: 1 where some images failed, unless a reason is serious (70, 80, 82, 81, 76, 74), a registry
 * was given up, or nothing is in sync: then the reason's own; else 84 where tags differ and stay. With `deleteExtra` what is extra
 * counts as differing in a check.
 */
export function exitOf(report: SyncReport, options: { readonly deleteExtra?: boolean } = {}): ExitCode {
  return report.mode === 'check' ? checkExit(report, options.deleteExtra === true) : syncExit(report)
}

function checkExit({ readiness }: SyncReport, deleteExtra: boolean): ExitCode {
  const { ready, missing, diverged, extra, unreadable } = readiness
  const found = [
    ...(missing > 0 ? [Exit.INCOMPLETE] : []),
    ...(diverged > 0 || (deleteExtra && extra > 0) ? [Exit.CONFLICT] : []),
    ...(unreadable > 0 ? [Exit.UNAVAILABLE] : []),
  ]
  return strongest(ready || found.length > 0 ? found : [Exit.INCOMPLETE])
}

function syncExit({ readiness, images, pairs }: SyncReport): ExitCode {
  const nothing = readiness.in_sync === 0
  const exits = [
    ...pairs.flatMap(({ error }) =>
      error === undefined ? [] : failureExit({ outcome: 'failed', error }, nothing),
    ),
    ...images.flatMap((image) => failureExit(image, nothing)),
  ]
  if (exits.length > 0) return strongest(exits)
  if (readiness.diverged > 0) return Exit.CONFLICT
  return readiness.ready ? Exit.OK : Exit.INCOMPLETE
}

function failureExit(
  { outcome, error }: Pick<SyncedImage, 'outcome' | 'error'>,
  all: boolean,
): readonly ExitCode[] {
  if (outcome !== 'failed' && outcome !== 'not_tried') return []
  const own = error === undefined ? undefined : exitOfCode(error.code)
  if (own === undefined) return [Exit.PARTIAL]
  const isGivenUp = outcome === 'not_tried' || GIVEN_UP.includes(error!.code as ErrorCode)
  return [all || isGivenUp || STRONGEST_FIRST.includes(own) ? own : Exit.PARTIAL]
}

/** A newer release may know a code that this one does not. */
function exitOfCode(code: string): ExitCode | undefined {
  return Object.hasOwn(CODES, code) ? CODES[code as ErrorCode] : undefined
}
