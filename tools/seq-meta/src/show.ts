import { lstat } from 'node:fs/promises'
import type { Context, Item, Outcome } from '@carryall/cli'
import { API_VERSION } from '@carryall/schemas/text'
import { readMetadataFile, type MetadataFile } from '@carryall/shipment/metadata'

/**
 * `seq-meta show`: each shipment's own document as its file has it, with the place where it is. Directories are read
 * without the schemas, which take longer to load than all the rest; whether a document is right is for `verify` to say.
 */
export async function show(context: Context, operands: readonly string[]): Promise<Outcome> {
  const items =
    (await plainly(operands)) ?? (await (await import('./operands.ts')).shipments(context, operands))
  return { items: items.map(shipmentItem) }
}

/** A shipment as it goes on the pipe: the document of its file, then `result`. */
export function shipmentItem(shipment: Pick<MetadataFile, 'value' | 'directory' | 'metadataDigest'>): Item {
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

/** All operands as shipments of the present format; undefined where one is anything else. */
async function plainly(operands: readonly string[]): Promise<readonly MetadataFile[] | undefined> {
  if (operands.length === 0) return undefined
  const files: MetadataFile[] = []
  for (const operand of operands) {
    const found = await lstat(operand).catch(() => undefined)
    const file = found?.isDirectory() ? await readMetadataFile(operand).catch(() => undefined) : undefined
    if (file === undefined || (file.value as { apiVersion?: unknown }).apiVersion !== API_VERSION)
      return undefined
    if (Array.isArray((file.value as { critical?: unknown }).critical)) return undefined
    files.push(file)
  }
  return files
}
