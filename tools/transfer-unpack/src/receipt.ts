import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isCarryallError } from '@carryall/errors'
import { API_VERSION, type BlobLine, type Receipt } from '@carryall/schemas'
import { BLOB_INDEX, checkFiles, readBlobIndex, readLanded, type Shipment } from '@carryall/shipment'

export interface ReceiptFacts {
  readonly site: string
  readonly auditHead: string | undefined
  readonly now: Date
  readonly tool: Receipt['tool']
}

/**
 * What the content directories below `root` hold, asked of the disk: a shipment is complete where its files are there, by
 * names and sizes, and what it borrows is held by others that are whole. What was removed counts as missing.
 */
export async function makeReceipt(root: string, facts: ReceiptFacts): Promise<Receipt> {
  const chains: Receipt['chains'] = []
  for (const name of await directories(root)) {
    const { here, landed, known } = await readLanded(join(root, name))
    const head = known.at(-1)
    if (head === undefined) continue
    const whole = new Map<string, number>()
    for (const shipment of here) whole.set(shipment.metadataDigest, await missingFileBytes(shipment))
    const held = await heldBlobs(here.filter((one) => whole.get(one.metadataDigest) === 0))
    const shipments: Receipt['chains'][number]['shipments'] = []
    for (const shipment of landed) {
      const own = whole.get(shipment.metadataDigest) ?? bytesOf(shipment)
      const lent = whole.has(shipment.metadataDigest) ? await missingLentBytes(shipment, held, here) : 0
      const missing = own + (lent ?? 0)
      shipments.push({
        sequence_number: shipment.metadata.sequence_number,
        metadata_digest: shipment.metadataDigest,
        state: whole.get(shipment.metadataDigest) === 0 && lent === 0 ? 'complete' : 'partial',
        missing_bytes: missing,
      })
    }
    chains.push({
      ...head.metadata.chain,
      head: { sequence_number: head.metadata.sequence_number, metadata_digest: head.metadataDigest },
      shipments,
    })
  }
  return {
    apiVersion: API_VERSION,
    kind: 'Receipt',
    site: facts.site,
    holds: 'files',
    chains,
    ...(facts.auditHead === undefined ? {} : { audit_head: facts.auditHead }),
    time: facts.now.toISOString(),
    tool: facts.tool,
  }
}

async function directories(root: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function missingFileBytes(shipment: Shipment): Promise<number> {
  const { faults } = await checkFiles(shipment, { mode: 'fast' })
  const wrong = new Set(faults.map((fault) => fault.path))
  const missing = shipment.metadata.files.filter((file) => wrong.has(file.path))
  const bytes = missing.reduce((sum, file) => sum + file.size_bytes, 0)
  // An empty file, or its sums: not whole, whatever it weighs.
  return faults.length > 0 ? Math.max(1, bytes) : 0
}

async function heldBlobs(shipments: readonly Shipment[]): Promise<ReadonlySet<string>> {
  const held = new Set<string>()
  for (const shipment of shipments)
    for (const blob of (await indexOf(shipment)) ?? []) if ('archive' in blob) held.add(blob.digest)
  return held
}

/** Bytes that it borrows and that nobody here has; undefined where it has no index and needs what is not here. */
async function missingLentBytes(
  shipment: Shipment,
  held: ReadonlySet<string>,
  here: readonly Shipment[],
): Promise<number | undefined> {
  const index = await indexOf(shipment)
  if (index !== undefined)
    return index.reduce(
      (sum, blob) => sum + ('sequence' in blob && !held.has(blob.digest) ? blob.size : 0),
      0,
    )
  const there = new Set(here.map((one) => one.metadataDigest))
  return shipment.metadata.dependencies.every((one) => there.has(one.metadata_digest)) ? 0 : undefined
}

async function indexOf(shipment: Shipment): Promise<readonly BlobLine[] | undefined> {
  if (!shipment.metadata.files.some((file) => file.path === BLOB_INDEX)) return undefined
  try {
    return await readBlobIndex(shipment)
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND')) return []
    throw error
  }
}

function bytesOf({ metadata }: Shipment): number {
  return metadata.files.reduce((sum, file) => sum + file.size_bytes, 0)
}
