import { CarryallError } from '@carryall/errors'
import type { Chain, Link } from './chain.ts'

/**
 * Where the metadata of a set begins: after what the site knows, and not after the first that is carried. Pure. Throws
 * SEQ_GAP (81) where a site that knows nothing could not begin with it.
 */
export function firstPlace({ members, directory }: Chain, head: Link | undefined, carried: number): number {
  if (head !== undefined) {
    const next = members.findIndex(({ metadata }) => metadata.sequence_number > head.sequence_number)
    return next < 0 ? carried : Math.min(next, carried)
  }
  if (members[0]!.metadata.sequence_number === 1) return 0
  // A site that knows nothing begins with number 1 or with a complete one.
  const first = members.findIndex(({ metadata }, place) => place <= carried && metadata.complete)
  if (first >= 0) return first
  throw new CarryallError(
    'SEQ_GAP',
    `${directory} begins with number ${members[0]!.metadata.sequence_number}, and a site that knows nothing can begin with number 1 or a complete shipment`,
    {
      subject: { kind: 'shipment', name: members[0]!.metadata.name },
      expected: 1,
      actual: members[0]!.metadata.sequence_number,
      hint: 'Plan where the chain is whole, or make a new baseline',
    },
  )
}
