import { CarryallError } from '@carryall/errors'
import { BLOCK, padding } from './block.ts'
import type { ArchivePlan } from './plan-archives.ts'
import { tarHeader } from './tar-header.ts'

/** Bytes of an archive that are not data of an entry, and where they stand. */
export interface Frame {
  readonly position: number
  readonly bytes: Buffer
}

/**
 * Everything in an archive but data: the stretch before the first entry's data, those between, and the end, in order.
 * One frame more than entries; frames and data cover every byte. The writer writes it, the checker compares with it.
 * Throws INDEX_MISMATCH where the positions of the plan are not those that its names and sizes lead to.
 */
export function* framing(plan: ArchivePlan): Generator<Frame, void, void> {
  let position = 0
  let fill = 0
  for (const entry of plan.entries) {
    const header = tarHeader(entry)
    agree(plan, `the header of ${entry.name}`, position + fill, entry.header)
    agree(plan, entry.name, position + fill + header.length, entry.offset)
    yield { position, bytes: Buffer.concat([Buffer.alloc(fill), header]) }
    position = entry.offset + entry.size
    fill = padding(entry.size)
  }
  agree(plan, 'its end', position + fill + 2 * BLOCK, plan.size)
  yield { position, bytes: Buffer.alloc(fill + 2 * BLOCK) }
}

function agree(plan: ArchivePlan, what: string, expected: number, actual: number): void {
  if (expected === actual) return
  throw new CarryallError(
    'INDEX_MISMATCH',
    `Cannot lay out ${plan.name}: ${what} is at byte ${expected}, not ${actual}`,
    {
      hint: 'The index does not belong to this archive',
      subject: { kind: 'file', name: plan.name },
      expected,
      actual,
    },
  )
}
