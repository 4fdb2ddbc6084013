import { join } from 'node:path'
import { CarryallError } from '@carryall/errors'
import { blobLineSchema, parseJsonTexts, parseValue, toJson, type BlobLine } from '@carryall/schemas'
import { readSmall } from './metadata-file.ts'
import type { Shipment } from './read-shipment.ts'

export const BLOB_INDEX = 'blobs.ndjson'
const MAX_INDEX = 512 * 1024 * 1024

/** The index as it is written: one line a blob, sorted by digest, each once. */
export function formatBlobIndex(blobs: readonly BlobLine[]): string {
  return [...blobs]
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    .map((blob) => `${toJson(blob)}\n`)
    .join('')
}

/** Reads an index back. Throws SCHEMA_INVALID with the line; INDEX_MISMATCH where it is not sorted or cut. */
export function parseBlobIndex(bytes: Buffer, where: string): readonly BlobLine[] {
  let before = ''
  return parseLines(bytes, where).map((value, index) => {
    const blob = parseValue(blobLineSchema, value, `${where} line ${index + 1}`)
    if (blob.digest <= before) {
      throw new CarryallError(
        'INDEX_MISMATCH',
        `${where} is damaged at line ${index + 1}: not sorted, or named twice`,
        { location: { file: where, line: index + 1 } },
      )
    }
    before = blob.digest
    return blob
  })
}

/** Lines of an NDJSON index; the last one has to end in a newline, so that a cut file is noticed. */
export function parseLines(bytes: Buffer, where: string): readonly unknown[] {
  if (bytes.length === 0) return []
  if (bytes.at(-1) !== 0x0a)
    throw new CarryallError('INDEX_MISMATCH', `${where} is cut: its last line does not end`, {
      location: { file: where },
    })
  return bytes
    .toString('utf8')
    .slice(0, -1)
    .split('\n')
    .map((line, index) => parseJsonTexts(line, `${where} line ${index + 1}`)[0])
}

/** The index of a shipment that has one. */
export async function readBlobIndex(shipment: Pick<Shipment, 'directory'>): Promise<readonly BlobLine[]> {
  const file = join(shipment.directory, BLOB_INDEX)
  return parseBlobIndex(await readSmall(file, MAX_INDEX), file)
}
