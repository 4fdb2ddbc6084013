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
  return linesOf(bytes, where).map((line, index) => {
    const blob =
      plainLine(line) ??
      parseValue(blobLineSchema, parseLine(line, index, where), `${where} line ${index + 1}`)
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

const HELD =
  /^\{"digest":"(sha256:[0-9a-f]{64})","size":(0|[1-9]\d{0,14}),"media_type":"([\w.+/;= -]*)","archive":"(\w[\w.-]{0,99})","offset":(0|[1-9]\d{0,14})\}$/
const BORROWED = /^\{"digest":"(sha256:[0-9a-f]{64})","size":(0|[1-9]\d{0,14}),"sequence":([1-9]\d{0,14})\}$/

/** A line as `formatBlobIndex` writes nearly all of them, read without a parser: indexes are long, and a chain has many. */
function plainLine(line: string): BlobLine | undefined {
  const borrowed = BORROWED.exec(line)
  if (borrowed !== null)
    return { digest: borrowed[1]!, size: Number(borrowed[2]), sequence: Number(borrowed[3]) }
  const held = HELD.exec(line)
  if (held === null) return undefined
  const [, digest, size, media_type, archive, offset] = held as unknown as readonly [
    string,
    ...(readonly [string, string, string, string, string]),
  ]
  return { digest, size: Number(size), media_type, archive, offset: Number(offset) }
}

/** Lines of an NDJSON index; the last one has to end in a newline, so that a cut file is noticed. */
export function parseLines(bytes: Buffer, where: string): readonly unknown[] {
  return linesOf(bytes, where).map((line, index) => parseLine(line, index, where))
}

function parseLine(line: string, index: number, where: string): unknown {
  const values = parseJsonTexts(line, `${where} line ${index + 1}`)
  if (values.length === 1) return values[0]
  throw new CarryallError('INDEX_MISMATCH', `${where} is damaged at line ${index + 1}: not one value`, {
    location: { file: where, line: index + 1 },
  })
}

function linesOf(bytes: Buffer, where: string): readonly string[] {
  if (bytes.length === 0) return []
  if (bytes.at(-1) !== 0x0a)
    throw new CarryallError('INDEX_MISMATCH', `${where} is cut: its last line does not end`, {
      location: { file: where },
    })
  return bytes.toString('utf8').slice(0, -1).split('\n')
}

/** The index of a shipment that has one. */
export async function readBlobIndex(shipment: Pick<Shipment, 'directory'>): Promise<readonly BlobLine[]> {
  const file = join(shipment.directory, BLOB_INDEX)
  return parseBlobIndex(await readSmall(file, MAX_INDEX), file)
}
