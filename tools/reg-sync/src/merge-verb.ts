import type { Context, Outcome } from '@carryall/cli'
import { CarryallError, Exit, strongest } from '@carryall/errors'
import type { SyncReport } from '@carryall/schemas'
import { errorsOf } from './errors-of.ts'
import { exitOf } from './exit-of.ts'
import { mergeReports, missingShards } from './merge.ts'
import { reportTable } from './tables.ts'

/**
 * `reg-sync merge`: one report of those of the parts of a plan, also of parts that failed. Parts that have no report make it 83, since
 * nobody can know what became of their images. Throws SYNC_MISMATCH.
 */
export async function runMerge(context: Context, operands: readonly string[]): Promise<Outcome> {
  const reports: SyncReport[] = []
  for await (const { document } of context.documents(operands, ['SyncReport'], { takeFailed: true }))
    reports.push(document as SyncReport)
  const report = mergeReports(reports as [SyncReport, ...SyncReport[]])
  const missing = missingShards(report)
  const errors = [...(missing.length === 0 ? [] : [lacking(report, missing)]), ...errorsOf(report)]
  return {
    items: [{ document: report, result: { ok: errors.length === 0, changed: hasChanged(report) } }],
    exit: strongest([exitOf(report), ...(missing.length === 0 ? [] : [Exit.INCOMPLETE])]),
    errors,
    table: () => reportTable(report),
  }
}

/** Whether the runs together wrote anything. */
function hasChanged({ totals: { copied, moved, deleted } }: SyncReport): boolean {
  return copied + moved + deleted > 0
}

function lacking({ shards = [] }: SyncReport, missing: readonly number[]): CarryallError {
  const count = shards[0]!.count
  return new CarryallError('SYNC_NOT_READY', `No report of the parts ${missing.join(', ')} of ${count}`, {
    expected: count,
    actual: count - missing.length,
    hint: `Run reg-sync apply PLAN --shard ${missing[0]}/${count}, then merge its report with the others`,
  })
}
