import type { FileSystem } from './file-system.ts'
import { byteNameFault, composed, ostaBytes } from './names.ts'
import { KIB, MIB, roundUp } from './sizes.ts'

const SECTOR = 2 * KIB
/** Of a UDF on a stick; on a disc a block is a sector. */
const SMALLEST_BLOCK = 512

const common = {
  maxDirectoryBytes: Infinity,
  clusterBytes: () => SECTOR,
  maxFiles: () => Infinity,
  nameKey: composed,
} as const

export const udf: FileSystem = {
  ...common,
  name: 'udf',
  maxFileBytes: Infinity,
  // Anchors with 512 KiB before the first and after the last, descriptors twice, one bit for each block, the root directory.
  overheadBytes: (medium) => 2 * MIB + roundUp(medium / SMALLEST_BLOCK / 8, SECTOR),
  // A sector is its file entry.
  fileBytes: (size, cluster) => cluster + roundUp(size, cluster),
  entryBytes: (name) => roundUp(38 + ostaBytes(name), 4),
  directoryBytes: (entries, cluster) => cluster + roundUp(40 + entries, cluster),
  nameFault(name) {
    const bytes = ostaBytes(name)
    return bytes > 255
      ? `it has ${bytes} bytes in OSTA compressed Unicode, at most 255 are possible`
      : undefined
  },
}

/** A directory record: 33 bytes, a name of level 3 (31 characters, padded), SUSP fields PX, TF and the head of NM. */
const RECORD = 33 + 33 + 44 + 26 + 5
const MAX_RECORD = 254
/** CE, which names the area where the rest of a record continues. */
const CONTINUATION = 28

/** ISO 9660 level 3 with Rock Ridge and without Joliet, as xorriso makes it. */
export const iso9660: FileSystem = {
  ...common,
  name: 'iso9660',
  // Extents are counted in 32 bits: more than this takes several, which not every reader puts together.
  maxFileBytes: 2 ** 32 - SECTOR,
  // What xorriso leaves free before its session, volume descriptors, path tables, an empty root directory, and its
  // rounding up to whole packets.
  overheadBytes: () => 96 * SECTOR,
  fileBytes: roundUp,
  entryBytes(name) {
    const bytes = roundUp(RECORD + Buffer.byteLength(name), 2)
    return bytes <= MAX_RECORD ? bytes : bytes + 2 * CONTINUATION
  },
  // No record crosses a sector; each directory is in two path tables.
  directoryBytes: (entries, cluster) =>
    roundUp(MAX_RECORD + entries * (cluster / (cluster - MAX_RECORD)), cluster) + 2 * 48,
  // The kernel cuts longer ones.
  nameFault: (name) => byteNameFault(name, 253),
}
