import { CarryallError } from '@carryall/errors'
import { isSafePath, type ShipmentFile } from '@carryall/schemas'

export const SUMS_FILE = 'SHA256SUMS'
/** Name of a detached signature over it, one file for each signer. */
export const SIGNATURE = /^SHA256SUMS\.[0-9A-F]{40,64}\.asc$/i

/** The name under which the signature of this key is kept. */
export function signatureFile(fingerprint: string): string {
  return `${SUMS_FILE}.${fingerprint}.asc`
}

/** Orders names as `LC_ALL=C sort` does. */
export function byByte(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** `SHA256SUMS` in the format of coreutils, sorted by byte: `sha256sum -c` and `gpgv` are enough to check a shipment. */
export function formatSums(files: readonly Pick<ShipmentFile, 'path' | 'sha256'>[]): string {
  return [...files]
    .sort((a, b) => byByte(a.path, b.path))
    .map((file) => `${file.sha256}  ${file.path}\n`)
    .join('')
}

/** Reads `SHA256SUMS`: sorted, unique, relative paths only, ending in a newline. Throws INDEX_MISMATCH with the line. */
export function parseSums(text: string, where: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>()
  const lines = text.split('\n')
  if (lines.pop() !== '') throw malformed(where, lines.length + 1, 'the last line is cut')
  let before = ''
  lines.forEach((line, index) => {
    const match = /^([0-9a-f]{64})  (.+)$/.exec(line)
    const path = match?.[2] ?? ''
    if (match === null || !isSafePath(path))
      throw malformed(where, index + 1, 'not "<sha256>  <relative path>"')
    if (index > 0 && byByte(before, path) >= 0)
      throw malformed(where, index + 1, 'not sorted, or named twice')
    before = path
    sums.set(path, match[1]!)
  })
  return sums
}

function malformed(where: string, line: number, why: string): CarryallError {
  return new CarryallError('INDEX_MISMATCH', `${where} is damaged at line ${line}: ${why}`, {
    location: { file: where, line },
    hint: 'Carry this shipment again',
  })
}
