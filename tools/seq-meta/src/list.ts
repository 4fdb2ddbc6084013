import type { Context, Outcome, Table } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { humanSize } from '@carryall/schemas'
import { checkLinks, readChain, readKnown, type Shipment } from '@carryall/shipment'
import { shipmentItem } from './show.ts'

/** `seq-meta list`: every shipment of a content directory by number. Broken links are said, not judged. */
export async function list(context: Context, operands: readonly string[]): Promise<Outcome> {
  const content = operands[0] ?? 'content'
  const chain = await readChain(content)
  if (chain.length === 0)
    throw new CarryallError('INPUT_NOT_FOUND', `${content} holds no shipment`, {
      hint: 'Name the directory that holds seq1-baseline and the others',
    })
  for (const fault of checkLinks(await readKnown(content))) context.log.warn(fault.message)
  return { items: chain.map(shipmentItem), table: () => listTable(chain) }
}

/** The list that people know: name, size, type, date. */
function listTable(chain: readonly Shipment[]): Table {
  return {
    columns: ['NAME', 'SIZE', 'TYPE', 'DATE', 'NEEDS'],
    rows: chain.map(({ metadata, value }) => [
      metadata.name,
      humanSize(metadata.files.reduce((sum, file) => sum + file.size_bytes, 0)),
      String(
        (value as { content_type?: unknown }).content_type ??
          (metadata.complete ? 'complete' : 'incremental'),
      ),
      metadata.timestamp,
      metadata.dependencies.map((dependency) => dependency.name).join(' ') || '-',
    ]),
  }
}
