import { CarryallError } from '@carryall/errors'
import type { Chain, Link } from './chain.ts'

/**
 * Whether the chain here goes on from the newest shipment that a site knows. Pure. Throws (81) SEQ_ROLLBACK where the site is
 * ahead of this side or of the target, SEQ_GAP and SEQ_FORK where it knows less than is here, and that does not follow.
 */
export function refuseUnconnected(chain: Chain, head: Link, site: string): void {
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
