import { CarryallError } from '@carryall/errors'
import type { TransferPlan } from '@carryall/schemas'
import { linkOf, type Chain, type Link } from './chain.ts'
import { refuseUnconnected } from './refuse-unconnected.ts'
import type { Standing } from './standing.ts'

export interface Assertions {
  /** As the plan records them. */
  readonly asserted: NonNullable<TransferPlan['basis']['asserted']>
  readonly standing: (chain: Chain) => Standing
}

/**
 * What the site has by the word of whoever plans: of each `CHAIN=NUMBER` that this shipment is complete there. Pure. Throws
 * USAGE_BAD_VALUE for what is not here, SEQ_ROLLBACK where it is newer than the target.
 */
export function assertions(words: readonly string[], chains: readonly Chain[]): Assertions {
  const told = words.map((word) => parse(word, chains))
  const linksOf = (chain: Chain): readonly Link[] =>
    told
      .filter((one) => one.chain.id === chain.id)
      .map((one) => one.link)
      .sort((a, b) => a.sequence_number - b.sequence_number)
  return {
    asserted: chains.flatMap((chain) => linksOf(chain).map((link) => ({ chain: chain.name, ...link }))),
    standing: (chain) => {
      const links = linksOf(chain)
      const head = links.at(-1)
      if (head !== undefined) refuseUnconnected(chain, head, 'The site')
      return { head, complete: new Set(links.map((link) => link.metadata_digest)) }
    },
  }
}

function parse(word: string, chains: readonly Chain[]): { readonly chain: Chain; readonly link: Link } {
  const [, name, number] = /^(.+)=([1-9]\d{0,14})$/.exec(word) ?? []
  const chain = chains.find((one) => one.name === name || one.id === name)
  const member = chain?.members.find(({ metadata }) => metadata.sequence_number === Number(number))
  if (chain !== undefined && member !== undefined) return { chain, link: linkOf(member) }
  const wanted = chains.map(
    ({ name: known, members }) =>
      `${known}=${members[0]!.metadata.sequence_number} to ${known}=${members.at(-1)!.metadata.sequence_number}`,
  )
  throw new CarryallError(
    'USAGE_BAD_VALUE',
    `Cannot assert "${word}": CHAIN=NUMBER is wanted, of a shipment that is known here`,
    { expected: wanted.join(', '), actual: word, hint: `Known here: ${wanted.join(', ')}` },
  )
}
