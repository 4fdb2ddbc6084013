import { CarryallError } from '@carryall/errors'
import { API_VERSION, type ChainState, type ShipmentDocument } from '@carryall/schemas'
import { isSame, linkOf, newestOf, type Known, type Link } from './link.ts'

/** What a site knows of a chain before anything of it has come. Pure. */
export function freshState(chain: ShipmentDocument['chain'], now: Date): ChainState {
  return {
    apiVersion: API_VERSION,
    kind: 'ChainState',
    chain,
    signed: false,
    digests: [],
    last_seen: now.toISOString(),
  }
}

/** The state to commit right before a shipment, or its headstone, gets its name. Pure. */
export function withPending(
  state: ChainState,
  shipment: Known,
  { now, signed }: { readonly now: Date; readonly signed: boolean },
): ChainState {
  return make(state, {
    pending: linkOf(shipment),
    // A kill right after the rename must not lose it.
    signed: state.signed || signed,
    last_seen: later(state.last_seen, now),
  })
}

/** What a run that was killed left pending: accepted where it is in the content directory, else as if it had never begun. Pure. */
export function settle(state: ChainState, known: readonly Known[]): ChainState {
  const { pending } = state
  if (pending === undefined) return state
  return known.some((shipment) => isSame(linkOf(shipment), pending))
    ? accept(state, pending, { landed: true })
    : make(state, { pending: undefined })
}

/**
 * The state after a shipment was accepted. Neither the mark nor `last_seen` ever goes back, and a chain that was signed
 * once stays so. Pure. Throws SEQ_FORK where another shipment of that number was accepted before.
 */
export function raise(
  state: ChainState,
  shipment: Known,
  options: {
    readonly now: Date
    /** Trusted keys vouch for it. */
    readonly signed: boolean
    /** It is in the content directory; false for what was only pushed. */
    readonly landed: boolean
  },
): ChainState {
  return make(accept(state, linkOf(shipment), options), {
    signed: state.signed || options.signed,
    last_seen: later(state.last_seen, options.now),
  })
}

function accept(state: ChainState, link: Link, { landed }: { readonly landed: boolean }): ChainState {
  const before = state.digests.find((one) => one.sequence_number === link.sequence_number)
  if (before !== undefined && !isSame(before, link)) {
    throw new CarryallError(
      'SEQ_FORK',
      `Number ${link.sequence_number} of chain ${state.chain.name} was ${before.metadata_digest} here, and is ${link.metadata_digest} now`,
      {
        expected: before.metadata_digest,
        actual: link.metadata_digest,
        hint: 'Two histories meet here; find out which one the other side has, and set the other aside',
      },
    )
  }
  const digests = before === undefined ? [...state.digests, link] : [...state.digests]
  return make(state, {
    mark: higher(state.mark, link),
    landed: landed ? higher(state.landed, link) : state.landed,
    pending: isSame(state.pending, link) ? undefined : state.pending,
    digests: digests.sort((a, b) => a.sequence_number - b.sequence_number),
  })
}

function higher(present: Link | undefined, link: Link): Link {
  return newestOf(present === undefined ? [link] : [present, link])!
}

function later(seen: string, now: Date): string {
  return now > new Date(seen) ? now.toISOString() : seen
}

/** Always with its keys in the order of the schema: the same state has the same bytes. */
function make(state: ChainState, changes: Partial<ChainState>): ChainState {
  const { apiVersion, kind, critical, chain, mark, landed, pending, ...rest } = { ...state, ...changes }
  return {
    apiVersion,
    kind,
    ...(critical === undefined ? {} : { critical }),
    chain,
    ...(mark === undefined ? {} : { mark }),
    ...(landed === undefined ? {} : { landed }),
    ...(pending === undefined ? {} : { pending }),
    ...rest,
  }
}
