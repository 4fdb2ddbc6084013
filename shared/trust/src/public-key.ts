import { createHash } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import { plainBytes } from './dearmor.ts'
import { readPackets, Tag } from './packets.ts'

/** Others are not part of a key as it is exported; a trust packet would tell gpgv which of its signatures to believe. */
const OF_A_KEY: ReadonlySet<number> = new Set([
  Tag.SIGNATURE,
  Tag.PUBLIC_KEY,
  Tag.USER_ID,
  Tag.PUBLIC_SUBKEY,
  Tag.USER_ATTRIBUTE,
])

export interface PublicKey {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string
  /** The key without armor. */
  readonly bytes: Buffer
}

/** Reads a file that holds one public key, armored or binary, and nothing else. Throws INPUT_SYNTAX. */
export function readPublicKey(file: Buffer): PublicKey {
  const bytes = plainBytes(file, 'PUBLIC KEY BLOCK')
  const packets = readPackets(bytes)
  if (packets.some(({ tag }) => tag === Tag.SECRET_KEY || tag === Tag.SECRET_SUBKEY))
    throw refused('it holds a secret key')
  const primary = packets[0]
  if (primary?.tag !== Tag.PUBLIC_KEY) throw refused('it does not begin with a public key')
  if (packets.filter(({ tag }) => tag === Tag.PUBLIC_KEY).length > 1)
    throw refused('it holds more than one key')
  const strange = packets.find(({ tag }) => !OF_A_KEY.has(tag))
  if (strange !== undefined) throw refused(`a packet of type ${strange.tag} is no part of a key`)
  return { fingerprint: fingerprintOf(primary.body), bytes }
}

/** RFC 9580, 5.5.4; version 5 is that of LibrePGP. */
function fingerprintOf(body: Buffer): string {
  const version = body[0]
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const hash = (algorithm: string, prefix: number, size: Buffer): string =>
    createHash(algorithm).update(Buffer.of(prefix)).update(size).update(body).digest('hex').toUpperCase()
  if (version === 4) return hash('sha1', 0x99, length.subarray(2))
  if (version === 5) return hash('sha256', 0x9a, length)
  if (version === 6) return hash('sha256', 0x9b, length)
  throw refused(`keys of version ${version} are not read`)
}

function refused(why: string): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Not a public key: ${why}`)
}
