import { createHash } from 'node:crypto'
import type { BlobLine } from '@carryall/schemas'
import { formatBlobIndex, type Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'

const PER_SHIPMENT = 10

/**
 * A chain of `count` shipments with indexes in a content directory: each holds ten blobs of its own and borrows ten of
 * another; of the one half as far along unless `lenderOf` says otherwise, so that the last needs about log2(count) of them.
 */
export async function manyShipments(
  content: string,
  count: number,
  lenderOf = (number: number): number => Math.max(1, Math.floor(number / 2)),
): Promise<readonly Shipment[]> {
  const shipments: Shipment[] = []
  for (let number = 1; number <= count; number++) {
    const lender = lenderOf(number)
    const lines: BlobLine[] = Array.from({ length: PER_SHIPMENT }, (_, at) => ({
      digest: blob(number, at),
      size: 100,
      media_type: 'application/vnd.oci.image.layer.v1.tar+gzip',
      archive: 'mirror_000001.tar',
      offset: 512 * at,
    }))
    if (number > 1)
      for (let at = 0; at < PER_SHIPMENT; at++)
        lines.push({ digest: blob(lender, at), size: 100, sequence: lender })
    const previous = shipments.at(-1)
    shipments.push(
      await makeShipment(content, {
        number,
        ...(previous === undefined ? {} : { previous }),
        kind: 'Sequence',
        dependencies:
          number === 1
            ? []
            : [
                {
                  sequence_number: lender,
                  name: shipments[lender - 1]!.metadata.name,
                  metadata_digest: shipments[lender - 1]!.metadataDigest,
                },
              ],
        files: {
          'blobs.ndjson': formatBlobIndex(lines),
          'images.ndjson': `{"number":${number}}\n`,
          'imageset-config.yaml': 'kind: ImageSetConfiguration\n',
          'mirror_000001.tar': `archive of ${number}\n`,
        },
        extra: SEQUENCE,
      }),
    )
  }
  return shipments
}

/** What a sequence has beside the fields of every shipment. */
const SEQUENCE = {
  description: 'baseline',
  content_type: 'differential',
  config_file: 'imageset-config.yaml',
  config_source: 'imageset-config.yaml',
  images: 1,
  blobs: { needed: 20, held: 10, borrowed: 10, needed_bytes: 2000, held_bytes: 1000, borrowed_bytes: 1000 },
  archives: [{ name: 'mirror_000001.tar', size: '1.0k', size_bytes: 1000 }],
  air_gapped_transfer: {
    complete: false,
    dependencies: [],
    cumulative_size: '1.0k',
    cumulative_size_bytes: 1000,
  },
}

function blob(number: number, at: number): string {
  return `sha256:${createHash('sha256').update(`${number} ${at}`).digest('hex')}`
}
