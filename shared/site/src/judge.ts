import { CarryallError } from '@carryall/errors'
import type { ChainState } from '@carryall/schemas'
import { followLinks } from './follow-links.ts'
import type { Incoming, JudgeInput, Judgement } from './judgement.ts'
import { recognise } from './recognise.ts'
import { refuseForeignChain, refuseForeignSite } from './refuse-foreign.ts'
import { isBehind, isExpired, refuseBackwardClock, refuseExpired, refuseFuture } from './refuse-untimely.ts'
import { requireClosure } from './require-closure.ts'
import { requireSignatures } from './require-signatures.ts'

/**
 * Judges a set of shipments of one chain by their metadata, before anything is written: chain and site, signatures, what
 * the site knows, links, age. It gives what may land, or throws the first reason against it:
 *
 * - SEQ_WRONG_CHAIN, SEQ_WRONG_SITE (81): not for this place.
 * - SIG_* (80): trusted keys do not vouch for it.
 * - SEQ_STATE_MISMATCH, SEQ_CLOCK (81): the site cannot rely on what it remembers.
 * - SEQ_FORK, SEQ_GAP, SEQ_ROLLBACK (81): it does not continue what the site knows.
 * - SEQ_INCOMPLETE (83): it borrows from what this site never accepted.
 * - SEQ_EXPIRED, SEQ_CLOCK (81): too old, or not yet; asked only where there is something to land.
 *
 * A set of which all is here already is no fault: nothing lands. Pure.
 */
export function judge(input: JudgeInput): Judgement {
  const { policy } = input
  const incoming = byNumber(input.incoming)
  const target = incoming.at(-1)!
  refuseForeignChain({ ...input, shipments: [...input.landed, ...incoming] })
  const signed = requireSignatures(incoming, {
    wanted: incoming,
    threshold: policy.threshold,
    signedBefore: input.state?.signed ?? false,
  })
  const { state, reset } = recognise(input)
  const clock = mindClock(state, input)
  const followed = followLinks(incoming, state, policy)
  refuseRollback(target, state)

  const here = new Set(input.landed.map((shipment) => shipment.metadataDigest))
  const known = incoming.filter((shipment) => here.has(shipment.metadataDigest))
  const fresh = incoming.filter((shipment) => !here.has(shipment.metadataDigest))
  const land = fresh.filter((shipment) => shipment.carried)
  refuseForeignSite([...land, target], policy.site)
  const expired = fresh.length > 0 && isExpired(target, policy.now)
  if (expired && !policy.allowExpired) refuseExpired(target, policy.now)
  refuseFuture(target, policy.now)
  const resets = reset || clock.reset || followed.override !== undefined
  if (!resets) requireClosure(land, state)
  return {
    land,
    headstones: fresh.filter((shipment) => !shipment.carried),
    known,
    signed,
    overrides: [...(resets ? ['accept-state-reset'] : []), ...(expired ? ['allow-expired'] : [])],
    notes: followed.note === undefined ? [] : [followed.note],
    state: clock.state,
  }
}

function byNumber(incoming: readonly Incoming[]): readonly [Incoming, ...Incoming[]] {
  const [first, ...others] = [...incoming].sort(
    (a, b) => a.metadata.sequence_number - b.metadata.sequence_number,
  )
  if (first === undefined)
    throw new CarryallError('INPUT_EMPTY', 'The set holds no shipment', { hint: 'Name the volumes of a set' })
  return [first, ...others]
}

/** A clock that went back makes `expires` worthless; where the operator says that it was wrong before, it counts from now on. */
function mindClock(
  state: ChainState,
  { policy: { now, acceptStateReset } }: JudgeInput,
): { readonly state: ChainState; readonly reset: boolean } {
  if (!isBehind(now, state.last_seen)) return { state, reset: false }
  if (!acceptStateReset) refuseBackwardClock(now, state.last_seen, 'accept-state-reset')
  return { state: { ...state, last_seen: now.toISOString() }, reset: true }
}

function refuseRollback({ metadata }: Incoming, { mark }: ChainState): void {
  if (mark === undefined || metadata.sequence_number >= mark.sequence_number) return
  throw new CarryallError(
    'SEQ_ROLLBACK',
    `${metadata.name} is number ${metadata.sequence_number}; number ${mark.sequence_number} was here already`,
    {
      subject: { kind: 'shipment', name: metadata.name },
      expected: mark.sequence_number,
      actual: metadata.sequence_number,
      hint: 'An old set was carried again; bring the newest one',
    },
  )
}
