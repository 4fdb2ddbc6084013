import { dirname } from 'node:path'
import type { Shipment } from '@carryall/shipment'

/** A shipment of a chain as planning needs it. */
export interface Member extends Shipment {
  /** Of its files. */
  readonly bytes: number
  /** Its files are in the content directory; else only its metadata is known. */
  readonly here: boolean
}

/** A chain on this side. */
export interface Chain {
  readonly id: string
  readonly name: string
  /** Content directory, absolute. */
  readonly directory: string
  /** By number, without a gap. */
  readonly members: readonly Member[]
  /** Place among `members` of what has to be complete at the site. */
  readonly target: number
}

/** What a shipment is to planning. */
export function memberOf(shipment: Shipment, content: string): Member {
  return {
    ...shipment,
    bytes: shipment.metadata.files.reduce((sum, file) => sum + file.size_bytes, 0),
    here: dirname(shipment.directory) === content,
  }
}

/** Number and identity of a shipment, as documents name it. */
export function linkOf({ metadata, metadataDigest }: Pick<Shipment, 'metadata' | 'metadataDigest'>): Link {
  return { sequence_number: metadata.sequence_number, metadata_digest: metadataDigest }
}

export interface Link {
  readonly sequence_number: number
  readonly metadata_digest: string
}
