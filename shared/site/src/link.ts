import type { Shipment } from '@carryall/shipment'

/** A shipment by its metadata. */
export type Known = Pick<Shipment, 'metadata' | 'metadataDigest'>

/** A shipment of a chain by number and identity. */
export interface Link {
  readonly sequence_number: number
  readonly metadata_digest: string
}

export function linkOf({ metadata, metadataDigest }: Known): Link {
  return { sequence_number: metadata.sequence_number, metadata_digest: metadataDigest }
}

/** The one with the highest number. */
export function newestOf(links: readonly Link[]): Link | undefined {
  return links.reduce<Link | undefined>(
    (newest, link) =>
      newest !== undefined && newest.sequence_number >= link.sequence_number ? newest : link,
    undefined,
  )
}

export function isSame(a: Link | undefined, b: Link | undefined): boolean {
  return a?.sequence_number === b?.sequence_number && a?.metadata_digest === b?.metadata_digest
}
