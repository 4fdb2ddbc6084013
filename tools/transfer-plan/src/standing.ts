import { CarryallError } from '@carryall/errors'
import type { Receipt } from '@carryall/schemas'
import type { Chain, Link } from './chain.ts'
import { refuseUnconnected } from './refuse-unconnected.ts'

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
