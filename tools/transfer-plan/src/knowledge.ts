import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { TransferPlan } from '@carryall/schemas'
import type { Chain } from './chain.ts'
import { chooseReceipts, type FoundReceipt } from './choose-receipts.ts'
import type { PlanFlags } from './command.ts'
import { readReceipts } from './read-receipts.ts'
import { assertedStanding, standingOf, type Standing } from './standing.ts'
import { vouch } from './vouch.ts'

/** Who says what the site has. */
export type Way =
  | { readonly mode: 'nothing' }
  | { readonly mode: 'receipts'; readonly places: readonly string[] }
  | { readonly mode: 'asserted'; readonly words: readonly string[] }

/** What is known of the site. */
export interface Knowledge {
  readonly site: string | undefined
  readonly basis: TransferPlan['basis']
  readonly standing: (chain: Chain) => Standing
}

/** One of three ways, and only one. Pure. Throws RECEIPT_MISSING (66) where none was chosen, USAGE_CONFLICT. */
export function wayOf(flags: PlanFlags): Way {
  const given = [
    ...(flags.have.length > 0 ? ['--have'] : []),
    ...(flags['have-nothing'] ? ['--have-nothing'] : []),
    ...(flags['one-way'] ? ['--one-way'] : []),
  ]
  if (given.length > 1) {
    throw new CarryallError('USAGE_CONFLICT', `${given.join(' and ')} exclude one another`, {
      hint: 'Either receipts say what the site has, or that it has nothing is known, or you say it',
    })
  }
  if (flags['one-way'] !== flags.assert.length > 0) {
    throw new CarryallError('USAGE_CONFLICT', '--one-way and --assert CHAIN=NUMBER need one another', {
      hint: 'Say with --assert which shipment is complete at the site; where none is, say --have-nothing instead',
    })
  }
  if (flags['one-way']) return { mode: 'asserted', words: flags.assert }
  if (flags['have-nothing']) return { mode: 'nothing' }
  if (given.length > 0) return { mode: 'receipts', places: flags.have }
  throw new CarryallError(
    'RECEIPT_MISSING',
    'Nobody says what the site has, so what it lacks cannot be known',
    {
      hint: 'First trip to a site: --have-nothing. Later: --have FILE|DIR with the receipt that came back from there. Where nothing ever comes back: --one-way --assert CHAIN=NUMBER',
    },
  )
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
  const numbers = parseAssertions(way.words, chains)
  const standings = new Map(
    chains.map((chain) => [chain.id, assertedStanding(chain, numbers.get(chain.id) ?? [])]),
  )
  const asserted = chains.flatMap((chain) =>
    chain.members
      .filter((member) => standings.get(chain.id)!.complete.has(member.metadataDigest))
      .map(({ metadata, metadataDigest }) => ({
        chain: chain.name,
        sequence_number: metadata.sequence_number,
        metadata_digest: metadataDigest,
      })),
  )
  return {
    site,
    basis: { mode: 'asserted', receipts: [], asserted },
    standing: (chain) => standings.get(chain.id)!,
  }
}

async function fromReceipts(
  context: Context,
  places: readonly string[],
  chains: readonly Chain[],
  flags: Pick<PlanFlags, 'site' | 'trust'>,
): Promise<Knowledge> {
  const found = await readReceipts(places.map((place) => resolve(context.cwd, place)))
  const { site, receipts, byChain } = chooseReceipts(found, chains, flags.site)
  const trust = await trustOf(context, flags.trust)
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

async function trustOf(context: Context, path: string | undefined) {
  const { readTrust } = await import('@carryall/trust')
  return readTrust({
    ...(path === undefined ? {} : { path: resolve(context.cwd, path) }),
    etc: context.etc,
    now: context.clock(),
  })
}

function basisOf(
  { receipt, digest }: FoundReceipt,
  signers: readonly string[],
): TransferPlan['basis']['receipts'][number] {
  return { digest, time: receipt.time, holds: receipt.holds, signed_by: [...signers] }
}

function parseAssertions(
  words: readonly string[],
  chains: readonly Chain[],
): ReadonlyMap<string, readonly number[]> {
  const numbers = new Map<string, number[]>()
  for (const word of words) {
    const [, name, number] = /^(.+)=([1-9]\d{0,14})$/.exec(word) ?? []
    const chain = chains.find((one) => one.name === name || one.id === name)
    if (chain === undefined) {
      throw new CarryallError(
        'USAGE_BAD_VALUE',
        `Cannot use --assert ${word}: CHAIN=NUMBER is wanted, of a chain that is planned`,
        {
          expected: chains.map((one) => `${one.name}=NUMBER`).join(', '),
          actual: word,
        },
      )
    }
    numbers.set(chain.id, [...(numbers.get(chain.id) ?? []), Number(number)])
  }
  return numbers
}
