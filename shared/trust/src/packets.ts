import { CarryallError } from '@carryall/errors'

/** Types of packets (RFC 9580, 5). */
export const Tag = {
  SIGNATURE: 2,
  SECRET_KEY: 5,
  PUBLIC_KEY: 6,
  SECRET_SUBKEY: 7,
  USER_ID: 13,
  PUBLIC_SUBKEY: 14,
  USER_ATTRIBUTE: 17,
} as const

export interface Packet {
  readonly tag: number
  readonly body: Buffer
}

/** The packets of keys and signatures, each of a stated length (RFC 9580, 4.2). Throws INPUT_SYNTAX. */
export function readPackets(bytes: Buffer): readonly Packet[] {
  const packets: Packet[] = []
  for (let at = 0; at < bytes.length;) {
    const { tag, start, size } = header(bytes, at)
    if (start + size > bytes.length) throw malformed(at, 'is cut')
    packets.push({ tag, body: bytes.subarray(start, start + size) })
    at = start + size
  }
  return packets
}

function header(bytes: Buffer, at: number): { tag: number; start: number; size: number } {
  const first = bytes[at]!
  if ((first & 0x80) === 0) throw malformed(at, 'is none')
  const old = (first & 0x40) === 0
  const width = old ? [1, 2, 4, 0][first & 3]! : lengthWidth(bytes[at + 1] ?? 0)
  if (width === 0) throw malformed(at, 'does not state its length')
  const field = old ? at + 1 : at + 1 + (width === 4 ? 1 : 0)
  const start = field + width
  if (start > bytes.length) throw malformed(at, 'is cut')
  const value = bytes.readUIntBE(field, width)
  return {
    tag: old ? (first >> 2) & 15 : first & 63,
    start,
    size: !old && width === 2 ? value - 0xc000 + 192 : value,
  }
}

/** Octets of a length in the new format; 0 for a partial one. */
function lengthWidth(first: number): number {
  if (first < 192) return 1
  if (first < 224) return 2
  return first === 255 ? 4 : 0
}

function malformed(at: number, what: string): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `The OpenPGP packet at byte ${at} ${what}`)
}
