import type { Context } from '@carryall/cli'
import type { SyncPlan, SyncReport } from '@carryall/schemas'
import { auditUser, openAuditLog, recordAudit } from '@carryall/site'
import { errorObject } from '@carryall/errors'

/** Records in the audit log what is written to a destination. */
export interface Audit {
  /** Proves that the log can be written; to be called before the first write. */
  writing(): Promise<void>
  /** How it ended: the report, or what it failed with. */
  ended(report: SyncReport): Promise<void>
  failed(error: unknown): Promise<void>
}

/** The audit of one run of a plan. */
export function auditOf(context: Context, plan: SyncPlan, planDigest: string): Audit {
  const record = async (facts: {
    readonly outcome: 'done' | 'failed'
    readonly code?: string
    readonly note: string
  }): Promise<void> => {
    await recordAudit(
      context.stateDir,
      {
        tool: context.tool,
        user: await auditUser(context.env),
        action: 'sync',
        target: plan.pairs.map(({ destination }) => destination).join(' '),
        subject: { kind: 'SyncPlan', name: plan.time, digest: planDigest },
        ...facts,
        overrides: [...context.overrides],
      },
      // Without the signal: an end by one is to be recorded, too.
      { now: () => context.clock() },
    )
  }
  return {
    writing: () => openAuditLog(context.stateDir),
    async ended({ totals }) {
      const { copied, moved, deleted, conflicts, failed, not_tried: left } = totals
      const note = `${copied} copied, ${moved} moved, ${deleted} deleted, ${conflicts} in conflict, ${failed} failed, ${left} not tried`
      await record(
        failed + left === 0 ? { outcome: 'done', note } : { outcome: 'failed', code: 'ITEMS_FAILED', note },
      )
    },
    async failed(error) {
      const { code, message } = errorObject(error)
      await record({ outcome: 'failed', code, note: message })
    },
  }
}
