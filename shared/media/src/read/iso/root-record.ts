import { volumeInvalid } from '../volume-invalid.ts'
import { bad, both16, both32 } from './bytes.ts'
import { directoryRecord, type Extent } from './directory-record.ts'
import { type Image, SECTOR } from './image.ts'

const FIRST = 16
const MAX_DESCRIPTORS = 64
const PRIMARY = 1
const TERMINATOR = 255
const ROOT = 156
const ROOT_END = 190

/** Where an image has the standard identifier of its first volume descriptor. */
export const IDENTIFIER_AT = FIRST * SECTOR + 1
export const IDENTIFIER = 'CD001'

/** The root directory that the primary volume descriptor names (ECMA-119 8.4). Throws VOLUME_INVALID. */
export async function rootRecord(image: Image): Promise<Extent> {
  let root: Extent | undefined
  for (let index = 0; index < MAX_DESCRIPTORS; index += 1) {
    const offset = (FIRST + index) * SECTOR
    const descriptor = { bytes: await image.read(offset, SECTOR), place: image.place, offset }
    const { bytes } = descriptor
    if (bytes.toString('latin1', 1, 6) !== IDENTIFIER) throw bad('there is no volume descriptor', descriptor)
    if (bytes[0] === TERMINATOR) {
      if (root === undefined) break
      return root
    }
    if (bytes[0] !== PRIMARY || root !== undefined) continue
    if (bytes[6] !== 1 || bytes[881] !== 1)
      throw bad('the volume descriptor is of another version', descriptor, 6)
    if (both16(descriptor, 128) !== SECTOR)
      throw bad(`a logical block has not ${SECTOR} bytes`, descriptor, 128)
    both32(descriptor, 80)
    if (both16(descriptor, 120) !== 1) throw bad('it is one of several discs of a set', descriptor, 120)
    both16(descriptor, 124)
    const record = directoryRecord(
      { bytes: bytes.subarray(ROOT, ROOT_END), place: image.place, offset: offset + ROOT },
      image,
    )
    if (!record.directory) throw bad('the root is no directory', descriptor, ROOT + 25)
    root = record.extent
  }
  throw volumeInvalid('it has no primary volume descriptor', image.place)
}
