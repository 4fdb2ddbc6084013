import { join } from 'node:path'
import { parseKind, shipmentKind, type ShipmentDocument } from '@carryall/schemas'
import { readMetadataFile, type MetadataFile } from './metadata-file.ts'

/** A shipment on disk. */
export interface Shipment extends Omit<MetadataFile, 'kind'> {
  readonly metadata: ShipmentDocument
}

/**
 * Reads a shipment's metadata by the fields that all kinds share. Throws SCHEMA_* for metadata that is not valid, and
 * what `readMetadataFile` throws; `likely` as there.
 */
export async function readShipment(directory: string, likely?: unknown): Promise<Shipment> {
  const { kind, ...file } = await readMetadataFile(directory, likely)
  return {
    ...file,
    metadata: parseKind(shipmentKind(kind), file.value, join(file.directory, file.metadataFile)),
  }
}
