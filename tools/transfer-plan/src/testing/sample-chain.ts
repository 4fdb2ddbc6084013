import type { BlobLine, Receipt } from '@carryall/schemas'
import { formatBlobIndex, type Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'

const CHAIN = { id: '00000000-0000-4000-8000-000000000001', name: 'sample' }

export interface SampleShipment {
  /** Names of blobs in its archive. */
  readonly holds: string
  /** Names of blobs that it borrows, each with the number of its lender: `a1 b2`. */
  readonly borrows?: string
  /** Bytes of its archive. */
  readonly bytes?: number
  /** More metadata. */
  readonly extra?: object
}

/** Shipments with indexes, from number 1, in a content directory. A blob is a letter and takes 1000 bytes by its index. */
export async function sampleChain(
  content: string,
  samples: readonly SampleShipment[],
  chain = CHAIN,
): Promise<readonly Shipment[]> {
  const shipments: Shipment[] = []
  for (const { holds, borrows = '', bytes = 100, extra = {} } of samples) {
    const borrowed = [...borrows.matchAll(/([a-z])(\d)/g)].map(([, name, lender]) => ({
      digest: blob(name!),
      size: 1000,
      sequence: Number(lender),
    }))
    const held: BlobLine[] = holds.split('').map((name, at) => ({
      digest: blob(name),
      size: 1000,
      media_type: 'application/octet-stream',
      archive: 'mirror_000001.tar',
      offset: 1000 * at,
    }))
    const lenders = [...new Set(borrowed.map(({ sequence }) => sequence))].sort((a, b) => a - b)
    const previous = shipments.at(-1)
    shipments.push(
      await makeShipment(content, {
        number: shipments.length + 1,
        chain,
        ...(previous === undefined ? {} : { previous }),
        dependencies: lenders.map((lender) => {
          const { metadata, metadataDigest } = shipments[lender - 1]!
          return { sequence_number: lender, name: metadata.name, metadata_digest: metadataDigest }
        }),
        files: {
          'blobs.ndjson': formatBlobIndex([...held, ...borrowed]),
          'mirror_000001.tar': 'x'.repeat(bytes),
        },
        extra,
      }),
    )
  }
  return shipments
}

/** What a site says: numbers of a chain that are complete, and that are not. */
export function sampleReceipt(
  chain: readonly Shipment[],
  {
    complete = [],
    partial = [],
    ...more
  }: { complete?: readonly number[]; partial?: readonly number[] } & Partial<Receipt>,
): Receipt {
  const known = [...complete, ...partial].sort((a, b) => a - b)
  const link = (number: number) => ({
    sequence_number: number,
    metadata_digest: chain[number - 1]!.metadataDigest,
  })
  return {
    apiVersion: 'carryall/v1',
    kind: 'Receipt',
    site: 'lab',
    holds: 'files',
    chains: [
      {
        ...chain[0]!.metadata.chain,
        head: link(known.at(-1)!),
        shipments: known.map((number) => ({
          ...link(number),
          state: complete.includes(number) ? 'complete' : 'partial',
          missing_bytes: complete.includes(number) ? 0 : 1,
        })),
      },
    ],
    time: '2026-02-03T04:05:06Z',
    tool: { name: 'transfer-unpack', version: '1' },
    ...more,
  }
}

function blob(name: string): string {
  return `sha256:${name.codePointAt(0)!.toString(16).repeat(32)}`
}
