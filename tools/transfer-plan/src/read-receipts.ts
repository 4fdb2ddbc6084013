import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { parseKind, readDocuments, receiptKind } from '@carryall/schemas'
import { digestOf, readSmall } from '@carryall/shipment'
import type { FoundReceipt } from './choose-receipts.ts'

/** The file that was given, or documents in the directory that was; other kinds are passed over there. */
const DOCUMENT = /\.(?:json|ya?ml)$/

/**
 * Receipts of files and directories. Throws RECEIPT_MISSING (66) where there is none, and what reading a document throws
 * (65): one that is damaged is not passed over, since the plan would carry too much and nobody would know why.
 */
export async function readReceipts(places: readonly string[]): Promise<readonly FoundReceipt[]> {
  const found: FoundReceipt[] = []
  for (const place of places)
    for (const { file, alone } of await filesAt(place)) found.push(...(await receiptsIn(file, alone)))
  if (found.length > 0) return found
  throw missing(`There is no receipt in ${places.join(', ')}`)
}

async function filesAt(place: string): Promise<readonly { file: string; alone: boolean }[]> {
  try {
    if (!(await stat(place)).isDirectory()) return [{ file: place, alone: true }]
    const entries = await readdir(place, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && DOCUMENT.test(entry.name) && !entry.name.startsWith('.'))
      .map((entry) => ({ file: join(place, entry.name), alone: false }))
      .sort((a, b) => (a.file < b.file ? -1 : 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(`There is no ${place}`)
    throw fromSystemError(error, `read ${place}`, { subject: { kind: 'file', name: place } })
  }
}

async function receiptsIn(file: string, alone: boolean): Promise<readonly FoundReceipt[]> {
  const bytes = await readSmall(file)
  return readDocuments(bytes, file)
    .filter((value) => alone || (value as { kind?: unknown } | null)?.kind === receiptKind.kind)
    .map((value) => ({ receipt: parseKind(receiptKind, value, file), bytes, digest: digestOf(bytes), file }))
}

function missing(message: string): CarryallError {
  return new CarryallError('RECEIPT_MISSING', message, {
    hint: 'Receipts come back from the far side (transfer-unpack --receipt, seq-push --receipt). On the first trip to a site there is none: say --have-nothing',
  })
}
