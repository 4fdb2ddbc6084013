import { CarryallError } from '@carryall/errors'
import type { Receipt } from '@carryall/schemas'
import type { Chain } from './chain.ts'

/** A receipt as its file has it. */
export interface FoundReceipt {
  readonly receipt: Receipt
  /** The file's, which is what a signature is over. */
  readonly bytes: Buffer
  readonly digest: string
  readonly file: string
}

export interface Believed {
  readonly site: string
  /** All that count for any chain, by time. */
  readonly receipts: readonly FoundReceipt[]
  /** Those that count for each chain, by its id. */
  readonly byChain: ReadonlyMap<string, readonly FoundReceipt[]>
}

/**
 * The receipts to believe: of one site, for each chain and each form in which content is held the newest that speaks of the
 * chain. Replayed older ones change nothing. Pure. Throws USAGE_CONFLICT where there are several sites and none was named,
 * RECEIPT_MISSING where there is none of the named one.
 */
export function chooseReceipts(
  found: readonly FoundReceipt[],
  chains: readonly Pick<Chain, 'id' | 'name'>[],
  site: string | undefined,
): Believed {
  const sites = [...new Set(found.map(({ receipt }) => receipt.site))].sort()
  const chosen = site ?? sites[0]
  if (chosen === undefined || !sites.includes(chosen)) {
    throw new CarryallError('RECEIPT_MISSING', `There is no receipt of ${chosen ?? 'any site'}`, {
      ...(sites.length === 0 ? {} : { actual: sites.join(', ') }),
      hint: 'On the first trip to a site say --have-nothing; its answer is the receipt for the next one',
    })
  }
  if (site === undefined && sites.length > 1) {
    throw new CarryallError('USAGE_CONFLICT', `The receipts are of several sites: ${sites.join(', ')}`, {
      actual: sites.join(', '),
      hint: 'Say which one this plan is for: --site NAME',
    })
  }
  const ofSite = found.filter(({ receipt }) => receipt.site === chosen).sort(byTime)
  const byChain = new Map(
    chains.map(({ id, name }) => {
      const newest = new Map<string, FoundReceipt>()
      for (const one of ofSite)
        if (one.receipt.chains.some((there) => there.id === id || there.name === name))
          newest.set(one.receipt.holds, one)
      return [id, [...newest.values()].sort(byTime)]
    }),
  )
  // Where none speaks of these chains, the newest says that the site knows none of them.
  const counting = new Set([...byChain.values()].flat())
  const receipts = counting.size > 0 ? [...counting].sort(byTime) : ofSite.slice(-1)
  return { site: chosen, receipts, byChain }
}

function byTime(a: FoundReceipt, b: FoundReceipt): number {
  return Date.parse(a.receipt.time) - Date.parse(b.receipt.time) || (a.digest < b.digest ? -1 : 1)
}
