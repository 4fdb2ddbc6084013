import { CarryallError } from '@carryall/errors'

const CRC_START = 0xb704ce
const CRC_POLYNOMIAL = 0x864cfb

/** The bytes of a file that is armored or binary. Armor is told by its first line. */
export function plainBytes(bytes: Buffer, label: 'PUBLIC KEY BLOCK' | 'SIGNATURE'): Buffer {
  return /^\s*-----BEGIN/.test(bytes.toString('latin1', 0, 256))
    ? dearmor(bytes.toString('latin1'), label)
    : bytes
}

/**
 * The bytes inside one OpenPGP armor (RFC 9580, 6.2) of this label: a second one, or any text around it, is refused; its
 * checksum is checked where it has one. Throws INPUT_SYNTAX.
 */
export function dearmor(text: string, label: string): Buffer {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trimEnd())
  if (lines.shift() !== `-----BEGIN PGP ${label}-----`)
    throw malformed(`does not begin with "BEGIN PGP ${label}"`)
  if (lines.pop() !== `-----END PGP ${label}-----`) throw malformed(`does not end with "END PGP ${label}"`)
  const blank = lines.indexOf('')
  if (blank < 0 || !lines.slice(0, blank).every((line) => /^[A-Za-z]+: /.test(line)))
    throw malformed('has no empty line after its headers')
  const body = lines.slice(blank + 1)
  const checksum = body.at(-1)?.startsWith('=') ? body.pop()!.slice(1) : undefined
  const bytes = decode(body.join(''))
  if (checksum !== undefined && decode(checksum).readUIntBE(0, 3) !== crc24(bytes))
    throw malformed('has another checksum than its content')
  return bytes
}

function decode(base64: string): Buffer {
  if (base64.length < 4 || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw malformed('is not base64')
  return Buffer.from(base64, 'base64')
}

function crc24(bytes: Buffer): number {
  let crc = CRC_START
  for (const byte of bytes) {
    crc ^= byte << 16
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x800000 ? ((crc << 1) ^ CRC_POLYNOMIAL) & 0xffffff : crc << 1
  }
  return crc
}

function malformed(why: string): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `The armor ${why}`)
}
