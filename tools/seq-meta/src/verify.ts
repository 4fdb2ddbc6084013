import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Context, Item, Outcome } from '@carryall/cli'
import { CarryallError, strongest } from '@carryall/errors'
import { API_VERSION, type Fault, type Missing, type Verification } from '@carryall/schemas'
import { loadSequence, locateBlobs, verifySequence, type LoadedSequence } from '@carryall/sequence'
import {
  BLOB_INDEX,
  checkFiles,
  checkLinks,
  missing,
  readBlobIndex,
  readChain,
  readKnown,
  type Shipment,
} from '@carryall/shipment'
import { shipments } from './operands.ts'
import { signatureChecks, type CheckSignatures } from './signatures.ts'
import { errorsOf, table } from './verification-report.ts'

interface Flags {
  readonly fast: boolean
  readonly content: string | undefined
  readonly trust: string | undefined
}

const SHOWN = 20

/**
 * `seq-meta verify`: one Verification for each shipment. Exit 80 where trusted keys do not vouch for it and a trust file is
 * there, 82 for damaged content, 81 for a broken chain, 83 where something that is borrowed is not here, the strongest of
 * them for several.
 */
export async function verify(context: Context, flags: Flags, operands: readonly string[]): Promise<Outcome> {
  const checkSignatures = await signatureChecks(context, flags.trust)
  const asked = await shipments(context, operands, flags.content)
  const mode = flags.fast ? 'fast' : 'full'
  const bytes =
    mode === 'full'
      ? asked.reduce(
          (sum, { metadata }) => sum + metadata.files.reduce((all, file) => all + file.size_bytes, 0),
          0,
        )
      : 0
  const phase = context.progress.phase('Verifying', { items: asked.length, bytes })
  const items: Item[] = []
  const errors: CarryallError[] = []
  for (const shipment of asked) {
    phase.started(shipment.metadata.name)
    const verification = await verifyOne(shipment, flags.content ?? dirname(shipment.directory), {
      mode,
      signal: context.signal,
      onBytes: (count) => phase.advanced(count),
      checkSignatures,
    })
    const found = errorsOf(verification)
    errors.push(...found)
    if (found.length > 0) phase.failed(shipment.metadata.name, found[0])
    else phase.finished(shipment.metadata.name, mode === 'fast' ? 'files and sizes' : 'every byte')
    items.push({
      document: verification,
      result: {
        ok: found.length === 0,
        changed: false,
        directory: shipment.directory,
        metadata_digest: shipment.metadataDigest,
      },
    })
  }
  phase.end()
  return {
    items,
    exit: strongest(errors.map((error) => error.exit)),
    errors: errors.slice(0, SHOWN),
    table: () => table(items.map((item) => item.document as Verification)),
  }
}

async function verifyOne(
  shipment: Shipment,
  content: string,
  options: Parameters<typeof checkFiles>[1] & { readonly checkSignatures: CheckSignatures | undefined },
): Promise<Verification> {
  const chain = await readChain(content)
  const known = await readKnown(content)
  const checked = await checkContent(shipment, options)
  const lacking = await closure(shipment, chain, content)
  const signatures = await options.checkSignatures?.(shipment, known)
  const links = linkFaults(shipment, known, signatures?.signed ?? false)
  const { metadata } = shipment
  return {
    apiVersion: API_VERSION,
    kind: 'Verification',
    shipment: {
      kind: metadata.kind,
      name: metadata.name,
      chain: metadata.chain,
      sequence_number: metadata.sequence_number,
      metadata_digest: shipment.metadataDigest,
    },
    mode: options.mode,
    signed: signatures?.signed ?? false,
    ...(signatures === undefined ? {} : { signers: [...signatures.signers] }),
    complete: lacking.length === 0,
    checked: { files: checked.files, blobs: checked.blobs, bytes: checked.bytes },
    faults: [...(signatures?.faults ?? []), ...checked.faults, ...links],
    missing: [...lacking],
  }
}

async function checkContent(
  shipment: Shipment,
  options: Parameters<typeof checkFiles>[1],
): Promise<{ faults: readonly Fault[]; files: number; blobs: number; bytes: number }> {
  const sequence = await load(shipment)
  if (!('faults' in sequence)) return verifySequence(sequence, options)
  const base = await checkFiles(shipment, options)
  const known = new Set(base.faults.map((fault) => fault.path))
  return {
    ...base,
    blobs: 0,
    faults: [...base.faults, ...sequence.faults.filter((fault) => !known.has(fault.path))],
  }
}

/** The sequence with its indexes, or why they cannot be read; a shipment of another lane has none to read. */
async function load(shipment: Shipment): Promise<LoadedSequence | { faults: readonly Fault[] }> {
  if (shipment.metadata.kind !== 'Sequence') return { faults: [] }
  try {
    return await loadSequence(shipment)
  } catch (error) {
    if (!(error instanceof CarryallError)) throw error
    const path = error.details.location?.file?.split('/').at(-1)?.split(' ')[0]
    return {
      faults: [{ code: 'INDEX_MISMATCH', message: error.message, ...(path === undefined ? {} : { path }) }],
    }
  }
}

/**
 * Faults of the link between this shipment and the one before it that the content directory knows, also by its metadata
 * alone. A complete shipment that trusted keys vouch for may follow a gap.
 */
function linkFaults(shipment: Shipment, known: readonly Shipment[], signed: boolean): Fault[] {
  const at = known.findIndex((other) => other.directory === shipment.directory)
  const pair = at < 0 ? [shipment] : known.slice(Math.max(0, at - 1), at + 1)
  return checkLinks(pair)
    .filter((fault) => fault.details.subject?.name === shipment.metadata.name)
    .filter((fault) => fault.code !== 'SEQ_GAP' || !shipment.metadata.complete || !signed)
    .map((fault) => ({ code: fault.code, message: fault.message }))
}

async function closure(
  shipment: Shipment,
  chain: readonly Shipment[],
  content: string,
): Promise<readonly Missing[]> {
  const index = await lstat(join(shipment.directory, BLOB_INDEX)).catch(() => undefined)
  if (index === undefined) return declared(shipment, chain)
  const blobs = await readBlobIndex(shipment).catch(() => [])
  if (blobs.every((blob) => 'archive' in blob)) return []
  const lenders: LoadedSequence[] = []
  for (const other of chain) {
    const loaded =
      other.metadata.chain.id === shipment.metadata.chain.id && other.metadata.kind === 'Sequence'
        ? await load(other)
        : undefined
    if (loaded !== undefined && !('faults' in loaded)) lenders.push(loaded)
  }
  const here = await locateBlobs(lenders)
  const names = new Map(
    shipment.metadata.dependencies.map((dependency) => [dependency.sequence_number, dependency.name]),
  )
  return missing(
    blobs,
    (digest) => here.has(digest),
    (sequence) => names.get(sequence) ?? `number ${sequence} in ${content}`,
  )
}

/** A shipment without an index is judged by what its metadata says that it needs. */
function declared(shipment: Shipment, chain: readonly Shipment[]): readonly Missing[] {
  const here = new Set(chain.map((other) => other.metadataDigest))
  return shipment.metadata.dependencies
    .filter((dependency) => !here.has(dependency.metadata_digest))
    .map(({ sequence_number, name }) => ({ sequence_number, name, blobs: 0, size_bytes: 0 }))
}
