import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { ShipmentDocument } from '@carryall/schemas'
import {
  freshState,
  judgePush,
  raise,
  readChainState,
  readSignedSums,
  signedShipment,
  sitePolicy,
  updateChainState,
  type Incoming,
  type PushJudgement,
} from '@carryall/site'
import type { Trust } from '@carryall/trust'
import type { Carried } from './carried.ts'

/** Sequences that this site may push. */
export interface Admission extends Pick<PushJudgement, 'older'> {
  /** What is carried, without sequences that nobody who counts vouches for: they do not say which tags may move. */
  readonly carried: Carried
  /** Raises the site's mark of the chain, once they are pushed. */
  remember(): Promise<void>
}

/**
 * Judges what is carried by the trust file, where there is one, and by what the site remembers of the chain. Nothing is
 * written. Throws SIG_* (80), SEQ_* (81).
 */
export async function admit(
  carried: Carried,
  context: Context,
  options: {
    readonly trust: Trust | undefined
    readonly site: string | undefined
    readonly allowExpired: boolean
  },
): Promise<Admission> {
  const { chain } = carried.about
  const { trust, site, allowExpired } = options
  if (chain === undefined) return withoutChain(carried, trust)
  const present = await Promise.all(
    carried.chain.map(async ({ shipment }) =>
      signedShipment(shipment, await readSignedSums(shipment.directory), {
        trust,
        carried: true,
        signal: context.signal,
      }),
    ),
  )
  const wanted = new Set(carried.sequences.map(({ shipment }) => shipment.metadataDigest))
  const pushed = present.filter((one) => wanted.has(one.metadataDigest))
  const judgement = judgePush({
    chain,
    state: await readChainState(context.stateDir, chain.id),
    present,
    pushed,
    policy: sitePolicy(trust, chain.id, {
      site,
      now: context.clock(),
      allowExpired,
      acceptStateReset: false,
    }),
  })
  const relied = new Set(judgement.relied.map((one) => one.metadataDigest))
  const reliable = carried.chain.filter(({ shipment }) => relied.has(shipment.metadataDigest))
  return {
    carried: { ...carried, chain: reliable },
    older: judgement.older,
    remember: () => remember(context, chain, pushed, judgement.signed),
  }
}

/** Archives without metadata belong to no chain. */
function withoutChain(carried: Carried, trust: Trust | undefined): Admission {
  if (trust === undefined) return { carried, older: undefined, remember: async () => {} }
  throw new CarryallError('SIG_MISSING', 'Archives without metadata cannot be signed', {
    subject: { kind: 'file', name: trust.file },
    hint: 'Where a trust file is in force only sequences of mirror-seq are pushed',
  })
}

async function remember(
  context: Context,
  chain: ShipmentDocument['chain'],
  pushed: readonly Incoming[],
  signed: boolean,
): Promise<void> {
  const now = context.clock()
  await updateChainState(
    context.stateDir,
    chain.id,
    (state) =>
      pushed.reduce(
        (next, shipment) => raise(next, shipment, { now, signed, landed: false }),
        state ?? freshState(chain, now),
      ),
    { holder: context.tool.name },
  )
}
