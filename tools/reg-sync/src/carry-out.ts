import { resolve } from 'node:path'
import type { Context, Outcome } from '@carryall/cli'
import { errorObject, isCarryallError, strongest, type ExitCode } from '@carryall/errors'
import type { SyncPlan, SyncReport } from '@carryall/schemas'
import { auditOf } from './audit.ts'
import type { ApplyFlags } from './command.ts'
import { checkDeletions } from './delete-extra.ts'
import { errorsOf } from './errors-of.ts'
import { execute } from './execute.ts'
import { exitOf } from './exit-of.ts'
import { destinationKey, failedIn } from './finished.ts'
import type { Follower } from './follow.ts'
import { openJournal } from './journal.ts'
import { journalPlace, planDigestOf } from './journal-place.ts'
import type { Ends } from './ports.ts'
import { keepRate } from './rate.ts'
import { readJournal } from './read-journal.ts'
import { makeReport } from './report.ts'
import { inShard, type Shard } from './shard.ts'
import { reportTable } from './tables.ts'

export interface CarryOutHow {
  readonly started: Date
  /** The plan was made just now. */
  readonly fresh: boolean
  readonly shard?: Shard | undefined
  readonly parallelImages: number
  readonly imageTimeoutMs: number
  /** File of a journal: only what failed in its run. */
  readonly retryFailed?: string | undefined
}

/**
 * Does what a plan says, with journal, log and audit, and makes the report of it. Throws SYNC_LIST_INCOMPLETE and SYNC_DELETE_LIMIT
 * before anything is written, and what `execute` throws.
 */
export async function carryOut(
  context: Context,
  flags: ApplyFlags,
  whole: SyncPlan,
  ends: Ends,
  follower: Follower,
  how: CarryOutHow,
): Promise<Outcome> {
  const { shard, parallelImages, imageTimeoutMs } = how
  const covers = (repository: string): boolean => shard === undefined || inShard(repository, shard)
  const only = how.retryFailed === undefined ? undefined : await failedKeys(context, how.retryFailed)
  const plan = only === undefined ? whole : restricted(whole, only)
  const covered = plan.images.filter(({ destination }) => covers(destination.repository))
  checkDeletions({ pairs: plan.pairs, images: covered }, flags['max-delete'])
  const planDigest = planDigestOf(plan)
  const audit = auditOf(context, plan, planDigest)
  await audit.writing()
  await using journal = await openJournal(await journalPlace(context, flags.journal, planDigest, shard), {
    planDigest,
    tool: context.tool,
    clock: () => context.clock(),
    waitSeconds: context.waitSeconds,
    signal: context.signal,
    onFailure: (error) => context.log.warn(`The journal cannot be written: ${String(error)}`),
  })
  const counting = follower.begin(covered, plan)
  try {
    const executed = await execute(plan, {
      ends,
      journal,
      fresh: how.fresh,
      verify: flags.verify,
      parallelImages,
      parallel: Math.min(64, parallelImages * flags['parallel-layers']),
      imageTimeoutMs,
      covers,
      signal: context.signal,
      random: Math.random,
      ticks: () => performance.now(),
      phase: (title, total) => context.progress.phase(title, total),
      ...counting,
    })
    const report = makeReport({
      plan,
      planDigest,
      outcomes: executed.outcomes,
      facts: {
        mode: 'sync',
        started: how.started,
        ended: context.clock(),
        tool: context.tool,
        ...(shard === undefined ? {} : { shards: [shard] }),
        journal: journal.file,
        blobs: executed.blobs,
      },
    })
    follower.end(report)
    const { uploadedBytes } = executed.blobs
    const { registry } = plan.images[0]?.destination ?? { registry: '' }
    const outcome = outcomeOf(context, report, executed.changed)
    // What was done is told, whatever happens to the books.
    const late = await failuresOf(
      () => audit.ended(report),
      () => keepRate(context.stateDir, registry, uploadedBytes, report.seconds),
      () => journal.end(outcome.exit ?? 0),
    )
    const exits = late.map((error) => errorObject(error).exit as ExitCode)
    return {
      ...outcome,
      errors: [...(outcome.errors ?? []), ...late],
      exit: strongest([outcome.exit ?? 0, ...exits]),
    }
  } catch (error) {
    await audit.failed(error)
    throw error
  }
}

/** The outcome of a run by its report; an interrupted one has the exit code of its signal. */
function outcomeOf({ signal }: Context, report: SyncReport, changed: boolean): Outcome {
  const interrupted = signal.aborted && isCarryallError(signal.reason) ? [signal.reason] : []
  const errors = [...interrupted, ...(interrupted.length > 0 ? [] : errorsOf(report))]
  const exit: ExitCode = interrupted[0]?.exit ?? exitOf(report)
  return {
    items: [{ document: report, result: { ok: exit === 0, changed } }],
    exit,
    errors,
    table: () => reportTable(report),
  }
}

async function failuresOf(...works: readonly (() => Promise<void>)[]): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (const work of works) await work().catch((error: unknown) => failures.push(error))
  return failures
}

/** The plan of these images only. */
function restricted(plan: SyncPlan, only: ReadonlySet<string>): SyncPlan {
  const images = plan.images.filter(({ destination, digest }) =>
    only.has(destinationKey(destination, digest)),
  )
  return { ...plan, images }
}

async function failedKeys(context: Context, file: string): Promise<ReadonlySet<string>> {
  return new Set(failedIn(await readJournal(resolve(context.cwd, file))).keys())
}
