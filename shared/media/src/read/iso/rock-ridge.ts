import { fileUnexpected } from '../volume-invalid.ts'
import { bad, both32, type Located } from './bytes.ts'
import type { DirectoryRecord } from './directory-record.ts'
import type { Image } from './image.ts'
import { systemUse } from './system-use.ts'

const MAX_NAME = 255
const CONTINUE = 0x01
const CHECK = Buffer.from([0xbe, 0xef])
const KIND = 0o170_000
const KINDS: Readonly<Record<number, string>> = {
  0o010_000: 'the FIFO',
  0o020_000: 'the character device',
  0o060_000: 'the block device',
  0o120_000: 'the symbolic link',
  0o140_000: 'the socket',
}
const RELOCATED = 'the relocated directory'
const DEEP = 'Make the image with xorriso, or with mkisofs -D, which leave deep directories where they are'
/** What no file of a volume has. Relocated directories are in two places; sparse and compressed files are not what they hold. */
const REFUSED: Readonly<Record<string, string>> = {
  SL: 'the symbolic link',
  PN: 'the device',
  CL: RELOCATED,
  PL: RELOCATED,
  RE: RELOCATED,
  SF: 'the sparse file',
  ZF: 'the compressed file',
}

/**
 * How many bytes of each system use area are not SUSP's, told by the first record of the root directory; undefined where the image
 * has none (SUSP 5.3). Throws VOLUME_INVALID.
 */
export function systemUseSkip({ systemUse: { bytes, place, offset } }: DirectoryRecord): number | undefined {
  if (bytes.toString('latin1', 0, 2) !== 'SP') return undefined
  if (bytes.length < 7 || bytes[2] !== 7 || bytes[3] !== 1 || !bytes.subarray(4, 6).equals(CHECK))
    throw bad('the mark of the system use protocol is wrong', { place, offset })
  return bytes[6]!
}

/**
 * The alternate name that Rock Ridge gives a record, as bytes; undefined where it gives none. Throws FILE_UNEXPECTED for what is
 * neither a regular file nor a directory by any of its entries, VOLUME_INVALID.
 */
export async function rockRidgeName(
  image: Image,
  record: DirectoryRecord,
  skip: number,
): Promise<Buffer | undefined> {
  const { bytes, place, offset } = record.systemUse
  const area = { bytes: bytes.subarray(skip), place, offset: offset + skip }
  const parts: Buffer[] = []
  let length = 0
  let open = true
  let refused: string | undefined
  for await (const { signature, payload } of systemUse(image, area)) {
    refused ??= REFUSED[signature]
    if (signature === 'PX') refused ??= otherKind(payload, record)
    if (signature !== 'NM') continue
    const flags = payload.bytes[0]
    if (!open || flags === undefined || (flags & ~CONTINUE) !== 0)
      throw bad('a name is none, or is there twice', payload)
    open = flags === CONTINUE
    length += payload.bytes.length - 1
    if (length > MAX_NAME) throw bad(`a name has more than ${MAX_NAME} bytes`, payload)
    parts.push(payload.bytes.subarray(1))
  }
  const name = parts.length === 0 ? undefined : Buffer.concat(parts)
  if (refused !== undefined)
    throw fileUnexpected(
      refused,
      (name ?? record.identifier).toString(),
      place,
      refused === RELOCATED ? DEEP : undefined,
    )
  if (name !== undefined && open) throw bad('a name is cut', area)
  return name
}

/** What it is where it is neither; undefined where the mode says the same as the record. */
function otherKind(payload: Located, record: DirectoryRecord): string | undefined {
  if (payload.bytes.length < 8) throw bad('the length of a system use entry is wrong', payload)
  const kind = both32(payload, 0) & KIND
  if (KINDS[kind] === undefined && kind !== (record.directory ? 0o040_000 : 0o100_000))
    throw bad('the mode of a file contradicts its record', payload)
  return KINDS[kind]
}
