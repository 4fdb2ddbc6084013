import { bad, both16, both32, type Located } from './bytes.ts'
import { type Image, SECTOR } from './image.ts'

/** Contiguous bytes of an image. */
export interface Extent {
  readonly position: number
  readonly size: number
}

/** One directory record (ECMA-119 9.1). */
export interface DirectoryRecord {
  readonly identifier: Buffer
  readonly directory: boolean
  /** Not the last record of its file: the next one goes on with it. */
  readonly continued: boolean
  readonly extent: Extent
  readonly systemUse: Located
}

/** Bytes of a record without its identifier, and so of the smallest one. */
const FIXED = 33
const DIRECTORY = 0x02
const CONTINUED = 0x80

/**
 * Decodes the record that `located` begins with; its extent is inside the image. Refused is what files of a data disc have not:
 * extended attributes, interleaving, associated files, record formats. Throws VOLUME_INVALID.
 */
export function directoryRecord(located: Located, image: Pick<Image, 'size'>): DirectoryRecord {
  const { bytes, place, offset } = located
  const length = bytes[0]!
  if (length <= FIXED || length > bytes.length)
    throw bad('the length of a directory record is wrong', located)
  const identifierEnd = FIXED + bytes[32]!
  const fixed = identifierEnd + (identifierEnd % 2)
  if (identifierEnd === FIXED || identifierEnd > length)
    throw bad('the name in a directory record is cut', located, 32)
  if (bytes[1] !== 0) throw bad('a file has an extended attribute record', located, 1)
  if (bytes[26] !== 0 || bytes[27] !== 0) throw bad('a file is interleaved', located, 26)
  const flags = bytes[25]!
  if ((flags & ~(DIRECTORY | CONTINUED)) !== 0)
    throw bad('a file is hidden, associated or of records', located, 25)
  both16(located, 28)

  const size = both32(located, 10)
  const position = both32(located, 2) * SECTOR
  // Where an empty file lies means nothing, and writers put anything there.
  if (size > 0 && position + size > image.size)
    throw bad('a file lies behind the end of the image: it was cut', located, 2)
  return {
    identifier: bytes.subarray(FIXED, identifierEnd),
    directory: (flags & DIRECTORY) !== 0,
    continued: (flags & CONTINUED) !== 0,
    extent: { position, size },
    systemUse: {
      bytes: bytes.subarray(Math.min(fixed, length), length),
      place,
      offset: offset + Math.min(fixed, length),
    },
  }
}
