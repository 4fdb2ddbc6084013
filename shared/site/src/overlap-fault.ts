import { CarryallError } from '@carryall/errors'
import type { Link } from './link.ts'

/** SEQ_FORK where a number is known with another digest. */
export function overlapFault(
  known: ReadonlyMap<number, string>,
  link: Link,
  name: string,
): CarryallError | undefined {
  const here = known.get(link.sequence_number)
  if (here === undefined || here === link.metadata_digest) return undefined
  return new CarryallError(
    'SEQ_FORK',
    `${name} is number ${link.sequence_number} as ${link.metadata_digest}; here it is ${here}`,
    {
      expected: here,
      actual: link.metadata_digest,
      hint: 'Two histories meet here; find out which one the other side has, and set the other aside',
    },
  )
}
