import type { Context } from '@carryall/cli'
import { errorObject, Exit, type ExitCode } from '@carryall/errors'
import type { AuditEntry } from '@carryall/schemas'
import { auditUser, openAuditLog, recordAudit } from '@carryall/site'
import type { Carried } from './carried.ts'
import type { Pushed } from './push.ts'
import { errorsOf } from './report.ts'

/** What the rules of this site, or the proof of the content, say no to. */
const REFUSALS: readonly ExitCode[] = [Exit.TRUST, Exit.SEQUENCE, Exit.INTEGRITY, Exit.INCOMPLETE]

/** Records pushes in the audit log. */
export interface Auditor {
  /** Proves that the log can be written; to be called before the first write to the destination. */
  writing(): Promise<void>
  /** Runs a push and records how it ended, where it wrote or was refused to. */
  watch<P extends Pushed>(push: () => Promise<P>): Promise<P>
}

/** `carried` is asked for when an entry is written. With `--dry-run` nothing is recorded. */
export function auditor(context: Context, carried: Carried, target: string): Auditor {
  let begun = false
  const record = async (facts: Pick<AuditEntry, 'outcome' | 'code' | 'note'>): Promise<void> => {
    const newest = carried.about.sequences.at(-1)
    await recordAudit(
      context.stateDir,
      {
        tool: context.tool,
        user: await auditUser(context.env),
        action: 'push',
        target,
        ...(newest === undefined
          ? {}
          : { subject: { kind: 'Sequence', name: newest.name, digest: newest.metadata_digest } }),
        ...facts,
        overrides: [...context.overrides],
      },
      // Without the signal: an end by one is to be recorded, too.
      { now: () => context.clock() },
    )
  }
  const failed = async (error: unknown): Promise<void> => {
    const { code, exit, message } = errorObject(error)
    const refused = !begun && REFUSALS.includes(exit as ExitCode)
    if (begun || refused) await record({ outcome: refused ? 'refused' : 'failed', code, note: message })
  }
  return {
    async writing() {
      await openAuditLog(context.stateDir)
      begun = true
    },
    async watch<P extends Pushed>(push: () => Promise<P>) {
      if (context.dryRun) return push()
      let pushed: P
      try {
        pushed = await push()
      } catch (error) {
        throw await failed(error).then(
          () => error,
          (unrecorded: unknown) => new AggregateError([error, unrecorded], 'Failed, and was not recorded'),
        )
      }
      if (begun) await record(ended(pushed))
      return pushed
    },
  }
}

function ended({ report, outcomes }: Pushed): Pick<AuditEntry, 'outcome' | 'code' | 'note'> {
  const { pushed, moved, same, conflicts, failed } = report.totals
  const [error] = errorsOf(report, outcomes)
  return {
    outcome: error === undefined ? 'done' : 'failed',
    ...(error === undefined ? {} : { code: errorObject(error).code }),
    note: `${report.sequences.map((one) => one.name).join(' ') || 'archives'}: ${pushed} pushed, ${moved} moved, ${same} the same, ${conflicts} in conflict, ${failed} failed`,
  }
}
