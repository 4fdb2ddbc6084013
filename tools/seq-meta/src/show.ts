import type { Context, Item, Outcome, Table } from '@carryall/cli'
import type { Shipment } from '@carryall/shipment'
import { shipments } from './operands.ts'

/** `seq-meta show`: each shipment's own document, with the place where it is. */
export async function show(context: Context, operands: readonly string[]): Promise<Outcome> {
  return { items: (await shipments(context, operands)).map(shipmentItem) }
}

/** A shipment as it goes on the pipe: the document of its file, then `result`. */
export function shipmentItem(shipment: Shipment): Item {
  return {
    document: shipment.value as object,
    result: {
      ok: true,
      changed: false,
      directory: shipment.directory,
      metadata_digest: shipment.metadataDigest,
    },
  }
}

/** The list that people know: name, size, type, date. */
export function shipmentTable(items: readonly Shipment[], sizeOf: (bytes: number) => string): Table {
  return {
    columns: ['NAME', 'SIZE', 'TYPE', 'DATE', 'NEEDS'],
    rows: items.map(({ metadata, value }) => [
      metadata.name,
      sizeOf(metadata.files.reduce((sum, file) => sum + file.size_bytes, 0)),
      String(
        (value as { content_type?: unknown }).content_type ??
          (metadata.complete ? 'complete' : 'incremental'),
      ),
      metadata.timestamp,
      metadata.dependencies.map((dependency) => dependency.name).join(' ') || '-',
    ]),
  }
}
