import type { Context, Item, Outcome, Table } from '@carryall/cli'
import { Exit } from '@carryall/errors'
import { humanSize, type SyncPlan } from '@carryall/schemas'
import type { EndFlags, PlanFlags } from './command.ts'
import { settingsOf } from './limits.ts'
import { makeSyncPlan } from './make-sync-plan.ts'
import { openEnds } from './open-ends.ts'
import { hostsOf } from './pairs.ts'
import { lastRate } from './rate.ts'
import { readPairs } from './read-pairs.ts'

/** `reg-sync plan`: compares, writes nothing, prints the SyncPlan. */
export async function runPlan(
  context: Context,
  flags: PlanFlags & EndFlags & { readonly verify: 'tag' | 'deep' },
  operands: readonly string[],
): Promise<Outcome> {
  const asked = await readPairs(context, flags, operands)
  const ends = await openEnds(
    context,
    flags,
    hostsOf(asked.pairs),
    settingsOf(asked.config, asked.directory, flags),
  )
  try {
    const plan = await makeSyncPlan(context, asked.pairs, ends, {
      deleteExtra: flags['delete-extra'],
      deep: flags.verify === 'deep',
      rate: flags.bandwidth ?? (await lastRate(context.stateDir, asked.pairs)),
    })
    return { items: [planItem(plan)], exit: Exit.OK, table: () => planTable(plan) }
  } finally {
    await ends.close()
  }
}

/** A plan on the pipe: `changed` says that applying it would write something. */
export function planItem(plan: SyncPlan): Item {
  const { copies, deletions } = plan.totals
  return { document: plan, result: { ok: true, changed: copies + deletions > 0 } }
}

/** What would be done, and what is in the way of it. */
export function planTable(plan: SyncPlan): Table {
  const { totals } = plan
  const shown = plan.images.filter(({ action, state }) => action !== 'none' || state === 'unreadable')
  const time =
    totals.estimated_seconds === undefined ? '' : `, about ${Math.ceil(totals.estimated_seconds)} s`
  return {
    columns: ['ACTION', 'STATE', 'IMAGE', 'DIGEST'],
    rows: shown.map(({ action, state, destination: { registry, repository, tag }, digest, present }) => [
      action,
      state,
      `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}`,
      digest ?? present ?? '',
    ]),
    notes: [
      `${totals.images} images: ${totals.same} the same, ${totals.missing} missing, ${totals.diverged} diverged, ${totals.unreadable} unreadable; ${totals.extra} extra`,
      `${totals.copies} to copy, ${humanSize(totals.unique_bytes)}${time}; ${totals.deletions} to delete`,
    ],
  }
}
