import type { Context } from '@carryall/cli'
import { findShipments, type ReceivedShipment, type Shipment } from '@carryall/shipment'

/** The shipments, of any lane, that the operands or stdin name. */
export function shipments(
  context: Context,
  operands: readonly string[],
  content?: string,
): Promise<readonly Shipment[]> {
  return findShipments(operands, {
    documents: (given) => context.documents(given) as AsyncIterable<ReceivedShipment>,
    ...(content === undefined ? {} : { content }),
  })
}
