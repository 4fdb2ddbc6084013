import type { Table } from '@carryall/cli'
import { humanSize, type SyncedImage, type SyncReport } from '@carryall/schemas'
import { nameFor } from './apply-plan.ts'

/** A report for people: what was done or is wrong, then the readiness. */
export function reportTable({ mode, images, readiness, totals, seconds }: SyncReport): Table {
  const shown = images.filter(({ outcome, state }) =>
    outcome === undefined ? state !== 'same' : outcome !== 'same' && outcome !== 'kept',
  )
  const { ready, in_sync: there, missing, diverged, extra, unreadable, newest, lag_seconds: lag } = readiness
  return {
    columns: [mode === 'check' ? 'STATE' : 'RESULT', 'IMAGE', 'DIGEST', 'WHY'],
    rows: shown.map((image) => [
      image.outcome ?? image.state,
      nameFor(image),
      image.digest ?? image.previous_digest ?? '',
      image.error?.message ?? differs(image),
    ]),
    notes: [
      `${ready ? 'Ready' : 'Not ready'}: ${there} of ${readiness.images} in sync, ${missing} missing, ${diverged} diverged, ${unreadable} unreadable; ${extra} extra`,
      ...(lag === undefined
        ? []
        : [`Lag: ${Math.round(lag)} s${newest === undefined ? '' : `; newest: ${newest.image}`}`]),
      ...(mode === 'check'
        ? []
        : [
            `${totals.copied} copied, ${totals.moved} moved, ${totals.conflicts} in conflict, ${totals.failed} failed; ${humanSize(totals.uploaded_bytes)} in ${seconds.toFixed(1)} s`,
          ]),
    ],
  }
}

function differs({ state, outcome, previous_digest: present }: SyncedImage): string {
  const isOther = outcome === undefined ? state === 'diverged' : outcome === 'conflict'
  return isOther && present !== undefined ? `the destination has ${present}` : ''
}
