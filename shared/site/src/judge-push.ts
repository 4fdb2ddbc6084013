import type { ChainState, ShipmentDocument } from '@carryall/schemas'
import type { Incoming, SitePolicy } from './judgement.ts'
import { linkOf, type Link } from './link.ts'
import { overlapFault } from './overlap-fault.ts'
import { refuseForeignChain, refuseForeignSite } from './refuse-foreign.ts'
import { isBehind, isExpired, refuseBackwardClock, refuseExpired, refuseFuture } from './refuse-untimely.ts'
import { requireSignatures, vouchedFor } from './require-signatures.ts'

export interface PushInput {
  readonly chain: ShipmentDocument['chain']
  readonly state?: ChainState | undefined
  /** All of the chain that is here, by number. */
  readonly present: readonly Incoming[]
  /** What is to be pushed, by number, of `present`; at least one. */
  readonly pushed: readonly Incoming[]
  readonly policy: Omit<SitePolicy, 'acceptStateReset'>
}

export interface PushJudgement {
  readonly signed: boolean
  /** What may be relied on: all that is here, or where there is a trust file, what trusted keys vouch for. */
  readonly relied: readonly Incoming[]
  /** Flags without which it had been refused, for the audit log. */
  readonly overrides: readonly string[]
  /** The mark, where all that is pushed is older: no tag may move. */
  readonly older: Link | undefined
}

/**
 * Judges what is to be passed on from a content directory by the rules of landing that still apply there: chain, site,
 * signatures, another history, age. Gaps and what is missing are for the proof of the content. Pure. Throws
 * SEQ_WRONG_CHAIN, SEQ_WRONG_SITE, SEQ_FORK, SEQ_EXPIRED, SEQ_CLOCK (81), SIG_* (80).
 */
export function judgePush({ chain, state, present, pushed, policy }: PushInput): PushJudgement {
  refuseForeignChain({ chain, state, shipments: present, policy })
  const signed = requireSignatures(present, {
    wanted: pushed,
    threshold: policy.threshold,
    signedBefore: state?.signed ?? false,
  })
  const accepted = new Map(state?.digests.map((link) => [link.sequence_number, link.metadata_digest]))
  for (const shipment of present) {
    const fork = overlapFault(accepted, linkOf(shipment), shipment.metadata.name)
    if (fork !== undefined) throw fork
  }
  refuseForeignSite(pushed, policy.site)
  const newest = pushed.at(-1)!
  const ageless = isBehind(policy.now, state?.last_seen) || isExpired(newest, policy.now)
  if (!policy.allowExpired) {
    refuseBackwardClock(policy.now, state?.last_seen, 'allow-expired')
    refuseExpired(newest, policy.now)
  }
  refuseFuture(newest, policy.now)
  const mark = state?.mark
  const vouched = policy.threshold === undefined ? undefined : vouchedFor(present, policy.threshold)
  return {
    signed,
    relied: present.filter((one) => vouched === undefined || vouched.has(one.metadataDigest)),
    overrides: ageless ? ['allow-expired'] : [],
    older: mark !== undefined && newest.metadata.sequence_number < mark.sequence_number ? mark : undefined,
  }
}
