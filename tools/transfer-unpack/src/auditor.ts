import type { Context } from '@carryall/cli'
import type { CarryallError } from '@carryall/errors'
import { Exit } from '@carryall/errors'
import type { AuditEntry, Volume } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { auditUser, openAuditLog, recordAudit } from '@carryall/site'
import type { Admission, Arriving } from './admit.ts'
import type { Site } from './site.ts'

/** Records what is done at a site, and what was refused. With `dryRun` nothing is. */
export interface Auditor {
  /** Proves that the log can be written, before anything else is. */
  open(): Promise<void>
  landed(arriving: Arriving, admission: Admission, volume: Volume): Promise<void>
  /** What a run landed that was killed before it could tell. */
  settled(landed: Shipment, admission: Admission): Promise<void>
  reset(admission: Admission): Promise<void>
  refused(error: CarryallError, volume: Volume): Promise<void>
}

export function auditor(context: Context, site: Site): Auditor {
  type Facts = Pick<AuditEntry, 'action' | 'target' | 'subject' | 'outcome' | 'code' | 'note'>
  const record = async (facts: Facts): Promise<void> => {
    if (context.dryRun) return
    const user = await auditUser(context.env)
    await recordAudit(
      site.stateDir,
      { tool: context.tool, user, ...facts, overrides: [...context.overrides] },
      { now: () => context.clock() },
    )
  }
  const land = (
    { metadata, metadataDigest }: Pick<Shipment, 'metadata' | 'metadataDigest'>,
    { directory }: Admission,
    notes: readonly string[],
  ): Promise<void> =>
    record({
      action: 'land',
      target: directory,
      subject: { kind: metadata.kind, name: metadata.name, digest: metadataDigest },
      outcome: 'done',
      note: notes.join('; '),
    })
  return {
    open: () => openAuditLog(site.stateDir),
    landed: (arriving, admission, { set }) => {
      const { signed, notes } = admission.judgement
      return land(arriving, admission, [`set ${set}`, signed ? 'signed' : 'not signed', ...notes])
    },
    settled: (shipment, admission) =>
      land(shipment, admission, ['landed by a run that was killed; recorded by the next one']),
    reset: ({ directory, chain }) =>
      record({
        action: 'accept-state-reset',
        target: directory,
        subject: { kind: 'ChainState', name: chain.name },
        outcome: 'done',
      }),
    async refused(error, volume) {
      const told: readonly number[] = [Exit.TRUST, Exit.SEQUENCE, Exit.INCOMPLETE]
      if (!told.includes(error.exit)) return
      await record({
        action: 'land',
        target: site.root,
        subject: {
          kind: volume.kind,
          name: `volume ${volume.number} of ${volume.volumes}`,
          digest: volume.set,
        },
        outcome: 'refused',
        code: error.code,
        note: error.message,
      })
    },
  }
}
