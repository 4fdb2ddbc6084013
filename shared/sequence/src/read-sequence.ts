import { parseKind, sequenceKind, type BlobLine, type ImageLine, type Sequence } from '@carryall/schemas'
import { readBlobIndex, type Shipment } from '@carryall/shipment'
import { join } from 'node:path'
import { readImageIndex } from './image-index.ts'

/** A sequence with its indexes. */
export interface LoadedSequence {
  readonly shipment: Shipment
  readonly metadata: Sequence
  readonly images: readonly ImageLine[]
  readonly blobs: readonly BlobLine[]
}

/** The metadata of a shipment as a Sequence. Throws SCHEMA_UNKNOWN_KIND where it is of another lane. */
export function sequenceMetadata(shipment: Shipment): Sequence {
  return parseKind(sequenceKind, shipment.value, join(shipment.directory, shipment.metadataFile))
}

/** Reads a sequence's metadata and both indexes; the archives are not opened. */
export async function loadSequence(shipment: Shipment): Promise<LoadedSequence> {
  return {
    shipment,
    metadata: sequenceMetadata(shipment),
    images: await readImageIndex(shipment),
    blobs: await readBlobIndex(shipment),
  }
}
