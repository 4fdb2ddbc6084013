import type { Context, Item, Outcome, Table } from '@carryall/cli'
import { Exit } from '@carryall/errors'
import { humanSize, type SyncPlan } from '@carryall/schemas'
import { nameFor } from './apply-plan.ts'
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
  const settings = settingsOf(asked.config, asked.directory, flags)
  await using ends = await openEnds(context, flags, hostsOf(asked.pairs), settings)
  const plan = await makeSyncPlan(context, asked.pairs, ends, {
    deleteExtra: flags['delete-extra'],
    deep: flags.verify === 'deep',
    rate: flags.bandwidth ?? (await lastRate(context.stateDir, asked.pairs)),
  })
  return { items: [planItem(plan)], exit: Exit.OK, table: () => planTable(plan) }
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
    columns: ['ACTION', 'STATE', 'IMAGE', 'DIGEST', 'WHY'],
    rows: shown.map((image) => [
      image.action,
      image.state,
      nameFor(image),
      image.digest ?? image.present ?? '',
      image.error?.message ?? (image.state === 'diverged' ? `the destination has ${image.present}` : ''),
    ]),
    notes: [
      `${totals.images} images: ${totals.same} the same, ${totals.missing} missing, ${totals.diverged} diverged, ${totals.unreadable} unreadable; ${totals.extra} extra`,
      `${totals.copies} to copy, ${humanSize(totals.unique_bytes)}${time}; ${totals.deletions} to delete`,
    ],
  }
}
