import { CarryallError } from '@carryall/errors'
import type { ChainState } from '@carryall/schemas'
import { freshState, raise, settle } from './chain-state.ts'
import type { JudgeInput } from './judgement.ts'
import { isSame, linkOf, newestOf, type Known, type Link } from './link.ts'
import { overlapFault } from './overlap-fault.ts'

/**
 * What the site knows, by its state and its content directory, which have to agree; and it has to know what the set was
 * planned from. Where the operator accepts it, a state that disagrees is made anew from the content. `reset` tells that
 * this was needed. Pure. Throws SEQ_STATE_MISMATCH, SEQ_FORK (81).
 */
export function recognise({ chain, from, state, landed, policy }: JudgeInput): {
  readonly state: ChainState
  readonly reset: boolean
} {
  const settled = state === undefined ? undefined : settle(state, landed)
  const disagreement = compare(settled, landed)
  if (disagreement !== undefined && !policy.acceptStateReset) throw disagreement
  const known =
    disagreement === undefined
      ? adopt(settled ?? freshState(chain, policy.now), landed)
      : derive(freshState(chain, policy.now), settled?.signed ?? false, landed, policy.now)
  const forgotten = from === undefined ? undefined : refuseForgotten(known, from)
  if (forgotten !== undefined && !policy.acceptStateReset) throw forgotten
  return { state: known, reset: disagreement !== undefined || forgotten !== undefined }
}

function compare(state: ChainState | undefined, landed: readonly Known[]): CarryallError | undefined {
  const newest = newestOf(landed.map(linkOf))
  if (state === undefined) {
    if (newest === undefined) return undefined
    return mismatch(
      `The content directory holds number ${newest.sequence_number}, of which this site has no state`,
      {
        actual: newest.metadata_digest,
      },
    )
  }
  const accepted = new Map(state.digests.map((link) => [link.sequence_number, link.metadata_digest]))
  const other = landed
    .map(linkOf)
    .find((link) => (accepted.get(link.sequence_number) ?? link.metadata_digest) !== link.metadata_digest)
  if (other !== undefined) {
    return mismatch(`Number ${other.sequence_number} in the content directory is not the one that landed`, {
      expected: accepted.get(other.sequence_number)!,
      actual: other.metadata_digest,
    })
  }
  if (isSame(newest, state.landed)) return undefined
  // What was accepted by a push is known, too, and may have been carried here by hand.
  const ahead = newest !== undefined && newest.sequence_number > (state.landed?.sequence_number ?? 0)
  if (ahead && accepted.has(newest.sequence_number)) return undefined
  return mismatch(
    `The newest that landed is ${tell(state.landed)} by the state of this site, and ${tell(newest)} by the content directory`,
    {
      expected: state.landed?.metadata_digest ?? 'nothing',
      actual: newest?.metadata_digest ?? 'nothing',
    },
  )
}

function tell(link: Link | undefined): string {
  return link === undefined ? 'none' : `number ${link.sequence_number}`
}

function mismatch(
  why: string,
  details: { readonly expected?: string; readonly actual?: string },
): CarryallError {
  return new CarryallError('SEQ_STATE_MISMATCH', why, {
    ...details,
    hint: 'Put back the state directory or the content directory that was lost; if the content is what counts, use --accept-state-reset',
  })
}

/** The planner was told of more than the site knows: state and content are older than the receipt. */
function refuseForgotten(state: ChainState, from: Link): CarryallError | undefined {
  const fork = overlapFault(
    new Map(state.digests.map((link) => [link.sequence_number, link.metadata_digest])),
    from,
    'The receipt that the set was planned from',
  )
  if (fork !== undefined) throw fork
  const mark = state.mark?.sequence_number ?? 0
  if (from.sequence_number <= mark) return undefined
  return new CarryallError(
    'SEQ_STATE_MISMATCH',
    `The set was planned for a site that knows number ${from.sequence_number}; this one knows ${mark === 0 ? 'none' : `up to ${mark}`}`,
    {
      expected: from.sequence_number,
      actual: mark,
      hint: 'Put back what was lost here, or plan anew from a receipt that this site writes now; to go on from what is here, use --accept-state-reset',
    },
  )
}

/** What is in the content directory is accepted: carried by hand and pushed, or landed. */
function adopt(state: ChainState, landed: readonly Known[]): ChainState {
  return landed.reduce(
    (next, shipment) => raise(next, shipment, { now: new Date(next.last_seen), signed: false, landed: true }),
    state,
  )
}

function derive(fresh: ChainState, signed: boolean, landed: readonly Known[], now: Date): ChainState {
  return landed.reduce((state, shipment) => raise(state, shipment, { now, signed, landed: true }), {
    ...fresh,
    signed,
  })
}
