import type { Context, Outcome } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { humanSize } from '@carryall/schemas'
import { checkLinks, readChain } from '@carryall/shipment'
import { shipmentItem, shipmentTable } from './show.ts'

/** `seq-meta list`: every shipment of a content directory by number. Broken links are said, not judged. */
export async function list(context: Context, operands: readonly string[]): Promise<Outcome> {
  const content = operands[0] ?? 'content'
  const chain = await readChain(content)
  if (chain.length === 0)
    throw new CarryallError('INPUT_NOT_FOUND', `${content} holds no shipment`, {
      hint: 'Name the directory that holds seq1-baseline and the others',
    })
  for (const fault of checkLinks(chain)) context.log.warn(fault.message)
  return { items: chain.map(shipmentItem), table: () => shipmentTable(chain, humanSize) }
}
