import { resolve } from 'node:path'
import type { Context, Outcome } from '@carryall/cli'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { SyncEvent } from '@carryall/schemas'
import { carryOut } from './carry-out.ts'
import { checked } from './checked.ts'
import type { EndFlags, SyncFlags } from './command.ts'
import { finished, unended } from './finished.ts'
import { follow } from './follow.ts'
import { settingsOf } from './limits.ts'
import type { Doing } from './log-code.ts'
import { makeSyncPlan } from './make-sync-plan.ts'
import { openEnds } from './open-ends.ts'
import { hostsOf, namesOf } from './pairs.ts'
import { lastRate } from './rate.ts'
import { readPairs } from './read-pairs.ts'
import { readJournal } from './read-journal.ts'
import { planItem, planTable } from './run-plan.ts'

/** `reg-sync`: plans and applies in one, or with `--check` only compares. */
export async function runSync(
  context: Context,
  flags: SyncFlags & EndFlags,
  operands: readonly string[],
): Promise<Outcome> {
  const started = context.clock()
  if (flags.check && context.dryRun)
    throw new CarryallError(
      'USAGE_CONFLICT',
      '--check and --dry-run exclude each other: neither writes anything',
    )
  const asked = await readPairs(context, flags, operands)
  await using follower = await follow(context, flags, namesOf(asked.pairs))
  let doing: Doing | undefined = 'listing'
  try {
    const settings = settingsOf(asked.config, asked.directory, flags)
    await using ends = await openEnds(context, flags, hostsOf(asked.pairs), settings)
    const plan = await makeSyncPlan(context, asked.pairs, ends, {
      deleteExtra: flags['delete-extra'],
      deep: flags.verify.depth === 'deep',
      rate: flags.bandwidth ?? (await lastRate(context.stateDir, asked.pairs)),
      tell: follower.tell,
      brought: await broughtBefore(context, flags.journal),
    })
    doing = undefined
    if (context.dryRun) return { items: [planItem(plan)], table: () => planTable(plan) }
    if (flags.check) return await checked(context, flags, plan, ends, follower, started)
    const { defaults } = asked.config ?? {}
    return await carryOut(context, flags, plan, ends, follower, {
      started,
      fresh: true,
      parallelImages: flags['parallel-images'] ?? defaults?.parallel_images ?? 8,
      imageTimeoutMs: (flags['image-timeout'] ?? defaults?.image_timeout_seconds ?? 0) * 1000,
      retryFailed: flags['retry-failed'],
    })
  } catch (error) {
    follower.failed(error, doing)
    throw error
  }
}

/** What the last run of a journal had brought there before it was killed. */
async function broughtBefore(
  context: Context,
  journal: string | undefined,
): Promise<ReadonlyMap<string, SyncEvent> | undefined> {
  if (journal === undefined) return undefined
  const file = resolve(context.cwd, journal)
  const events = await readJournal(file).catch((error: unknown) => {
    if (isCarryallError(error, 'INPUT_NOT_FOUND')) return []
    throw error
  })
  return finished(unended(events))
}
