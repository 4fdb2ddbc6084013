import { bad, type Located } from './bytes.ts'
import { type DirectoryRecord, directoryRecord, type Extent } from './directory-record.ts'
import { type Image, SECTOR } from './image.ts'

const WINDOW = 32 * SECTOR

/**
 * The records of a directory, its own and its parent's first, which must be what they say (ECMA-119 6.8). No record crosses a sector,
 * and what follows the last one of a sector is zero. Throws VOLUME_INVALID.
 */
export async function* directoryRecords(
  image: Image,
  directory: Extent,
  parent: Extent,
): AsyncGenerator<DirectoryRecord, void, undefined> {
  const { position, size } = directory
  const place = { place: image.place, offset: position }
  if (size === 0 || size % SECTOR !== 0)
    throw bad('the size of a directory is not one of whole sectors', place)
  let index = 0
  for (let start = 0; start < size; start += WINDOW) {
    const window = await image.read(position + start, Math.min(WINDOW, size - start))
    for (let at = 0; at < window.length; at += SECTOR) {
      const sector = {
        bytes: window.subarray(at, at + SECTOR),
        place: image.place,
        offset: position + start + at,
      }
      for (const record of sectorRecords(sector, image)) {
        if (index < 2) checkDots(record, index, index === 0 ? directory : parent)
        yield record
        index += 1
      }
    }
  }
  if (index < 2) throw bad('a directory does not begin with itself and its parent', place)
}

function* sectorRecords({ bytes, place, offset }: Located, image: Image): Generator<DirectoryRecord> {
  for (let at = 0; at < SECTOR;) {
    const length = bytes[at]!
    if (length === 0) {
      const wrong = bytes.subarray(at).findIndex((byte) => byte !== 0)
      if (wrong >= 0)
        throw bad('an empty directory record is followed by another', { place, offset }, at + wrong)
      return
    }
    yield directoryRecord({ bytes: bytes.subarray(at), place, offset: offset + at }, image)
    at += length
  }
}

function checkDots(
  { identifier, directory, extent, systemUse }: DirectoryRecord,
  index: number,
  expected: Extent,
): void {
  const right =
    directory &&
    identifier.length === 1 &&
    identifier[0] === index &&
    extent.position === expected.position &&
    extent.size === expected.size
  if (!right) throw bad('a directory does not begin with itself and its parent', systemUse)
}
