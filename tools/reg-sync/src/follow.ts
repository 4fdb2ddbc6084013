import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { errorObject, isCarryallError } from '@carryall/errors'
import type { PlannedSync, SyncedImage, SyncPlan, SyncReport } from '@carryall/schemas'
import type { ApplyFlags } from './command.ts'
import { openEventLog, type EventLevel, type EventLog } from './event-log.ts'
import { failureEvent, finalReport, progressEvent, startupEvent, type LogEvent } from './events.ts'
import { imageEvents } from './image-events.ts'
import type { Doing } from './log-code.ts'
import { RepositoryProgress } from './repository-progress.ts'
import { syncError } from './sync-error.ts'

/** Tells people how a run goes: the event log, and a line for each repository that is complete. */
export interface Follower extends AsyncDisposable {
  tell(event: LogEvent): void
  /** Begins to count the images of a run. */
  begin(images: readonly PlannedSync[], plan: SyncPlan): Counting
  /** Also of each image where nothing was done, as with --check. */
  end(report: SyncReport): void
  /** It ended without a report. */
  failed(error: unknown, doing?: Doing): void
}

export interface Counting {
  onBytes(count: number): void
  onImage(image: PlannedSync, outcome: SyncedImage, error?: unknown): void
}

/** Opens the log, if one is wanted, and writes that the run begins. Throws what `openEventLog` throws. */
export async function follow(
  context: Context,
  flags: ApplyFlags,
  pairs: readonly { readonly source: string; readonly destination: string }[],
): Promise<Follower> {
  const log = await eventLog(context, flags)
  const tell = ({ level, code, what, message }: LogEvent): void => log?.write(level, code, what, message)
  tell(startupEvent(context.tool, [...pairs]))
  return {
    tell,
    begin: (images, plan) => counting(context, images, plan, tell),
    end(report) {
      if (report.mode === 'check') report.images.flatMap((image) => imageEvents(image)).forEach(tell)
      finalReport(report).forEach(tell)
    },
    failed(error, doing) {
      const { signal } = context
      tell(failureEvent(syncError(signal.aborted ? signal.reason : error), doing))
    },
    async [Symbol.asyncDispose]() {
      await log?.close()
    },
  }
}

function counting(
  { log }: Context,
  images: readonly PlannedSync[],
  plan: SyncPlan,
  tell: Follower['tell'],
): Counting {
  const progress = new RepositoryProgress(images)
  const started = performance.now()
  let bytes = 0
  return {
    onBytes(count) {
      bytes += count
    },
    onImage(image, outcome, error) {
      imageEvents(outcome, doingOf(image, error)).forEach(tell)
      if (!progress.finished(image, outcome.outcome)) return
      const seconds = (performance.now() - started) / 1000
      const line = progressEvent({ ...progress.counts, bytes, totalBytes: plan.totals.unique_bytes, seconds })
      tell(line)
      log.info(line.message)
    },
  }
}

/** Which side an error speaks of, as far as its subject tells. */
function doingOf({ source, destination }: PlannedSync, error: unknown): Doing | undefined {
  const name = isCarryallError(error) ? (error.details.subject?.name ?? '') : ''
  if (name.startsWith(destination.registry)) return 'writing'
  return source !== undefined && name.startsWith(source.registry) ? 'reading' : undefined
}

async function eventLog(context: Context, flags: ApplyFlags): Promise<EventLog | undefined> {
  const file = flags['log-file']
  if (file === undefined) return undefined
  const size = flags['log-rotate-size']
  return openEventLog({
    file: resolve(context.cwd, file),
    level: flags['log-level'].toUpperCase() as EventLevel,
    ...(size === undefined ? {} : { rotateBytes: size }),
    rotateSeconds: flags['log-rotate-age'],
    keep: flags['log-keep'],
    clock: () => context.clock(),
    warn: (error) => context.log.warn(errorObject(error).message),
  })
}
