import { CarryallError } from '@carryall/errors'
import type { ChainState } from '@carryall/schemas'
import { checkLinks } from '@carryall/shipment'
import type { Incoming, SitePolicy } from './judgement.ts'
import { linkOf } from './link.ts'
import { overlapFault } from './overlap-fault.ts'
import { isSigned } from './require-signatures.ts'

/** What let a gap pass. */
export interface Followed {
  readonly note?: string
  readonly override?: 'accept-state-reset'
}

/**
 * Holds the shipments of a set, by number, to what the site knows: they continue each other without a gap, what overlaps is
 * the same, and the first new one continues the newest known; or it is a signed baseline behind a gap, or may begin the
 * chain here. Pure. Throws SEQ_FORK, SEQ_GAP with the missing numbers (81).
 */
export function followLinks(
  incoming: readonly [Incoming, ...Incoming[]],
  state: ChainState,
  policy: Pick<SitePolicy, 'threshold' | 'acceptStateReset'>,
): Followed {
  const known = new Map(state.digests.map((link) => [link.sequence_number, link.metadata_digest]))
  for (const shipment of incoming) {
    const fork = overlapFault(known, linkOf(shipment), shipment.metadata.name)
    if (fork !== undefined) throw fork
  }
  for (const fault of checkLinks(incoming)) throw fault.code === 'SEQ_GAP' ? innerGap(incoming) : fault
  return enter(incoming[0], known, policy)
}

/** Whether the first of a set may follow what is known. */
function enter(
  first: Incoming,
  known: ReadonlyMap<number, string>,
  { threshold, acceptStateReset }: Pick<SitePolicy, 'threshold' | 'acceptStateReset'>,
): Followed {
  const { sequence_number: number, name, previous, complete } = first.metadata
  const before = known.get(number - 1)
  if (before !== undefined && before !== previous) {
    throw new CarryallError(
      'SEQ_FORK',
      `${name} continues ${previous ?? 'nothing'}; number ${number - 1} is ${before} here`,
      {
        subject: { kind: 'shipment', name },
        expected: before,
        actual: previous ?? 'nothing',
        hint: 'Two histories meet here; find out which one the other side has, and set the other aside',
      },
    )
  }
  const newest = Math.max(0, ...known.keys())
  if (number <= newest + 1) return {}
  const signed = threshold !== undefined && isSigned(first, threshold)
  const note = `${name} is complete: ${numbers(newest + 1, number - 1)} left out`
  if (newest > 0 ? complete && signed : complete && (signed || threshold === undefined)) return { note }
  if (newest === 0 && acceptStateReset) return { override: 'accept-state-reset' }
  throw gap(name, newest + 1, number, newest === 0 ? EMPTY_HINT : undefined)
}

const EMPTY_HINT =
  'Plan for a site that knows nothing: from number 1, or from a complete one; to begin here all the same, use --accept-state-reset'

function innerGap(incoming: readonly Incoming[]): CarryallError {
  const at = incoming.findIndex(
    ({ metadata }, index) =>
      index > 0 && metadata.sequence_number > incoming[index - 1]!.metadata.sequence_number + 1,
  )
  const [before, after] = [incoming[at - 1]!.metadata, incoming[at]!.metadata]
  return gap(after.name, before.sequence_number + 1, after.sequence_number)
}

function gap(name: string, first: number, found: number, hint?: string): CarryallError {
  const missing = numbers(first, found - 1)
  return new CarryallError('SEQ_GAP', `Before ${name} ${missing} missing`, {
    subject: { kind: 'shipment', name },
    expected: first,
    actual: found,
    hint:
      hint ??
      `Carry ${missing.replace(/ (?:is|are)$/, '')}, metadata at least; plan from a receipt of this site, so that all that it lacks is in the set`,
  })
}

function numbers(first: number, last: number): string {
  return first === last ? `number ${first} is` : `numbers ${first} to ${last} are`
}
