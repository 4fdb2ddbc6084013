import { CarryallError } from '@carryall/errors'
import type { Receipt } from '@carryall/schemas'
import { linkOf, type Chain, type Link } from './chain.ts'

/** What the site has of a chain, as far as anyone says so. */
export interface Standing {
  /** Newest shipment that every part of the site knows; undefined where nothing is known. */
  readonly head?: Link | undefined
  /** Digests of the metadata of what is complete there. */
  readonly complete: ReadonlySet<string>
}

/**
 * What the site has by its newest receipts, one for each form in which it holds content: complete is what is so in any of
 * them, known what is so in all. The chain here has to continue it. Pure. Throws (81) SEQ_WRONG_CHAIN for another chain
 * under the same name, SEQ_FORK for a number that is another shipment there, SEQ_ROLLBACK where the site is ahead of this
 * side or of the target, SEQ_GAP where what follows its newest is not here.
 */
export function standingOf(chain: Chain, receipts: readonly Receipt[]): Standing {
  const there = receipts.flatMap((receipt) =>
    receipt.chains.flatMap((one) =>
      isSame(chain, one, receipt.site) ? [{ ...one, site: receipt.site }] : [],
    ),
  )
  for (const { site, head, shipments } of there) {
    for (const link of [...shipments, head]) refuseFork(chain, link, site)
    refuseUnconnected(chain, head, site)
  }
  const heads = there.map(({ head: { sequence_number, metadata_digest } }) => ({
    sequence_number,
    metadata_digest,
  }))
  return {
    head: heads.sort((a, b) => a.sequence_number - b.sequence_number)[0],
    complete: new Set(
      there.flatMap(({ shipments }) =>
        shipments.filter((one) => one.state === 'complete').map((one) => one.metadata_digest),
      ),
    ),
  }
}

function isSame(chain: Chain, there: Receipt['chains'][number], site: string): boolean {
  if (there.id === chain.id) return true
  if (there.name !== chain.name) return false
  throw new CarryallError(
    'SEQ_WRONG_CHAIN',
    `${site} has another chain under the name ${chain.name}: ${there.id}, and not ${chain.id}`,
    {
      expected: there.id,
      actual: chain.id,
      hint: 'Plan from the content directory of the chain that the site has; a new chain needs a name of its own',
    },
  )
}

function refuseFork(chain: Chain, link: Link, site: string): void {
  const here = chain.members.find((member) => member.metadata.sequence_number === link.sequence_number)
  if (here === undefined || here.metadataDigest === link.metadata_digest) return
  throw new CarryallError(
    'SEQ_FORK',
    `Number ${link.sequence_number} is ${link.metadata_digest} at ${site}, and ${here.metadata.name} with ${here.metadataDigest} here`,
    {
      subject: { kind: 'shipment', name: here.metadata.name },
      expected: link.metadata_digest,
      actual: here.metadataDigest,
      hint: 'Two histories of one chain; find the content directory that this site was supplied from',
    },
  )
}

function refuseUnconnected(chain: Chain, head: Link, site: string): void {
  const { members, target, name } = chain
  const first = members[0]!.metadata
  const newest = members.at(-1)!.metadata
  const wanted = members[target]!.metadata
  const number = head.sequence_number
  if (number > newest.sequence_number) {
    throw rollback(
      `${site} knows number ${number} of chain ${name}, which ends here with number ${newest.sequence_number}`,
      { expected: number, actual: newest.sequence_number },
      'This content directory is older than what was sent; bring back the shipments that it lacks',
    )
  }
  if (number > wanted.sequence_number) {
    throw rollback(
      `${site} knows number ${number} of chain ${name}; ${wanted.name} is number ${wanted.sequence_number}`,
      { expected: number, actual: wanted.sequence_number },
      `A site takes nothing older than what it knows; name number ${number} or a later one as --target`,
    )
  }
  if (number >= first.sequence_number) return
  if (number + 1 < first.sequence_number) {
    throw new CarryallError(
      'SEQ_GAP',
      `${site} knows chain ${name} up to number ${number}, and it begins here with number ${first.sequence_number}`,
      {
        subject: { kind: 'shipment', name: first.name },
        expected: number + 1,
        actual: first.sequence_number,
        hint: 'Bring back the metadata of the numbers between them; a site passes such a gap only to a signed baseline, planned with --have-nothing',
      },
    )
  }
  if (first.previous === head.metadata_digest) return
  throw new CarryallError(
    'SEQ_FORK',
    `${first.name} continues ${first.previous ?? 'nothing'}, and number ${number} at ${site} is ${head.metadata_digest}`,
    {
      subject: { kind: 'shipment', name: first.name },
      expected: head.metadata_digest,
      actual: first.previous ?? 'nothing',
      hint: 'Two histories of one chain; find the content directory that this site was supplied from',
    },
  )
}

function rollback(
  message: string,
  numbers: { readonly expected: number; readonly actual: number },
  hint: string,
): CarryallError {
  return new CarryallError('SEQ_ROLLBACK', message, { ...numbers, hint })
}

/** What the site has by the word of whoever plans: these numbers are complete there. Pure. Throws SEQ_ROLLBACK, USAGE_BAD_VALUE. */
export function assertedStanding(chain: Chain, numbers: readonly number[]): Standing {
  const links = numbers.map((number) => {
    const member = chain.members.find(({ metadata }) => metadata.sequence_number === number)
    if (member !== undefined) return linkOf(member)
    throw new CarryallError(
      'USAGE_BAD_VALUE',
      `Cannot assert ${chain.name}=${number}: there is no such number in ${chain.directory}`,
      {
        hint: `Numbers here: ${chain.members[0]!.metadata.sequence_number} to ${chain.members.at(-1)!.metadata.sequence_number}`,
      },
    )
  })
  const head = links.toSorted((a, b) => b.sequence_number - a.sequence_number)[0]
  if (head !== undefined) refuseUnconnected(chain, head, 'The site')
  return { head, complete: new Set(links.map((link) => link.metadata_digest)) }
}
