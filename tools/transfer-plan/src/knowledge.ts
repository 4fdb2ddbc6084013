import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import type { TransferPlan } from '@carryall/schemas'
import { readTrust } from '@carryall/trust'
import { assertions } from './assertions.ts'
import type { Chain } from './chain.ts'
import { chooseReceipts, type FoundReceipt } from './choose-receipts.ts'
import type { PlanFlags } from './command.ts'
import { readReceipts } from './read-receipts.ts'
import { standingOf, type Standing } from './standing.ts'
import { vouch } from './vouch.ts'
import type { Way } from './way.ts'

/** What is known of the site. */
export interface Knowledge {
  readonly site: string | undefined
  readonly basis: TransferPlan['basis']
  readonly standing: (chain: Chain) => Standing
}

/**
 * What the site has, and how that is known. Throws RECEIPT_MISSING, USAGE_CONFLICT, SIG_* (80) for a receipt that has to be
 * signed and is not.
 */
export async function learn(
  context: Context,
  way: Way,
  chains: readonly Chain[],
  flags: Pick<PlanFlags, 'site' | 'trust'>,
): Promise<Knowledge> {
  const { site } = flags
  if (way.mode === 'nothing')
    return { site, basis: { mode: 'nothing', receipts: [] }, standing: () => ({ complete: new Set() }) }
  if (way.mode === 'receipts') return fromReceipts(context, way.places, chains, flags)
  const { asserted, standing } = assertions(way.words, chains)
  return { site, basis: { mode: 'asserted', receipts: [], asserted }, standing }
}

async function fromReceipts(
  context: Context,
  places: readonly string[],
  chains: readonly Chain[],
  flags: Pick<PlanFlags, 'site' | 'trust'>,
): Promise<Knowledge> {
  const found = await readReceipts(places.map((place) => resolve(context.cwd, place)))
  const { site, receipts, byChain } = chooseReceipts(found, chains, flags.site)
  const trust = await readTrust({
    ...(flags.trust === undefined ? {} : { path: resolve(context.cwd, flags.trust) }),
    etc: context.etc,
    now: context.clock(),
  })
  const believed: TransferPlan['basis']['receipts'] = []
  for (const one of receipts) believed.push(basisOf(one, await vouch(trust, one, context.signal)))
  for (const chain of chains)
    if (byChain.get(chain.id)!.length === 0)
      context.log.warn(
        `No receipt of ${site} speaks of chain ${chain.name}: it is planned as if nothing of it were there`,
      )
  return {
    site,
    basis: { mode: 'receipts', receipts: believed },
    standing: (chain) =>
      standingOf(
        chain,
        byChain.get(chain.id)!.map((one) => one.receipt),
      ),
  }
}

function basisOf(
  { receipt, digest }: FoundReceipt,
  signers: readonly string[],
): TransferPlan['basis']['receipts'][number] {
  return { digest, time: receipt.time, holds: receipt.holds, signed_by: [...signers] }
}
