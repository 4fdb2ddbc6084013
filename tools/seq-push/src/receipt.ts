import { pool, type Destination } from '@carryall/oci'
import { API_VERSION, type Receipt } from '@carryall/schemas'
import type { LoadedSequence } from '@carryall/sequence'
import type { Carried } from './carried.ts'

export interface ReceiptOptions {
  readonly site: string
  readonly now: Date
  readonly tool: Receipt['tool']
  readonly parallel: number
  readonly signal: AbortSignal
  /** Digest of the newest entry of the audit log. */
  readonly auditHead?: string
  readonly repositoryOf: (repository: string) => string
}

/**
 * What the destination holds of a chain, asked of it image by image rather than remembered: a sequence is complete where
 * every image of it answers by its digest, since a registry takes no manifest without what it names. Sizes count blobs of
 * images that do not answer and that no other image has. The head is the newest sequence that is known in the content
 * directory, whether it was pushed or not: from there on the other side sends metadata.
 */
export async function makeReceipt(
  { chain, newest }: Carried,
  destination: Destination,
  options: ReceiptOptions,
): Promise<Receipt> {
  const held = await heldDigests(chain, destination, options)
  const shipments = chain.map(({ metadata, shipment, blobs }) => {
    const missing = blobs.filter((blob) => !held.has(blob.digest)).reduce((sum, blob) => sum + blob.size, 0)
    return {
      sequence_number: metadata.sequence_number,
      metadata_digest: shipment.metadataDigest,
      state: blobs.every((blob) => held.has(blob.digest)) ? ('complete' as const) : ('partial' as const),
      missing_bytes: missing,
    }
  })
  return {
    apiVersion: API_VERSION,
    kind: 'Receipt',
    site: options.site,
    holds: 'registry',
    chains: newest === undefined ? [] : [{ ...chain[0]!.metadata.chain, head: newest, shipments }],
    ...(options.auditHead === undefined ? {} : { audit_head: options.auditHead }),
    time: options.now.toISOString(),
    tool: options.tool,
  }
}

async function heldDigests(
  chain: readonly LoadedSequence[],
  destination: Destination,
  options: ReceiptOptions,
): Promise<ReadonlySet<string>> {
  const images = new Map(
    chain.flatMap(({ images: lines }) =>
      lines.map((line) => [`${line.repository}@${line.digest}`, line] as const),
    ),
  )
  const held = new Set<string>()
  await pool(images.values(), options.parallel, options.signal, async (line) => {
    const found = await destination.head(options.repositoryOf(line.repository), line.digest, options.signal)
    if (found?.digest === line.digest)
      for (const digest of [...line.manifests, ...line.blobs]) held.add(digest)
  })
  return held
}
