import type { FileSystem } from './file-system.ts'
import { caseless, dosNameFault } from './names.ts'
import { GIB, KIB, lookUp, MIB, roundUp } from './sizes.ts'

const SECTOR = 512
const SLOT = 32

/** mkfs.vfat, as the table of Microsoft's FAT specification. */
const FAT32_CLUSTERS = [
  [260 * MIB, 512],
  [8 * GIB, 4 * KIB],
  [16 * GIB, 8 * KIB],
  [32 * GIB, 16 * KIB],
  [Infinity, 32 * KIB],
] as const

/** mkfs.exfat, as Windows. */
const EXFAT_CLUSTERS = [
  [256 * MIB, 4 * KIB],
  [32 * GIB, 32 * KIB],
  [Infinity, 128 * KIB],
] as const

const common = {
  maxFiles: () => Infinity,
  fileBytes: roundUp,
  nameFault: dosNameFault,
  nameKey: caseless,
} as const

export const fat32: FileSystem = {
  ...common,
  name: 'fat32',
  maxFileBytes: 2 ** 32 - 1,
  maxDirectoryBytes: 65_536 * SLOT - 2 * SLOT,
  clusterBytes: (medium) => lookUp(FAT32_CLUSTERS, medium),
  // Reserved sectors, two tables, what is lost to alignment at both ends, the root directory.
  overheadBytes(medium) {
    const cluster = this.clusterBytes(medium)
    const table = roundUp(4 * (medium / cluster + 2), SECTOR) + SECTOR
    return 64 * SECTOR + 2 * roundUp(table, cluster) + 3 * cluster
  },
  // A long name in slots of 13 units, and the short one.
  entryBytes: (name) => SLOT * (1 + Math.ceil(name.length / 13)),
  directoryBytes: (entries, cluster) => roundUp(2 * SLOT + entries, cluster),
}

export const exfat: FileSystem = {
  ...common,
  name: 'exfat',
  maxFileBytes: Infinity,
  maxDirectoryBytes: 256 * MIB,
  clusterBytes: (medium) => lookUp(EXFAT_CLUSTERS, medium),
  // Boot regions and the table each begin a new MiB; then the bitmap, the table of upper case, the root directory.
  overheadBytes(medium) {
    const cluster = this.clusterBytes(medium)
    const clusters = medium / cluster
    const table = roundUp(4 * (clusters + 2), MIB)
    return MIB + table + roundUp(clusters / 8, cluster) + roundUp(5836, cluster) + 2 * cluster
  },
  entryBytes: (name) => SLOT * (2 + Math.ceil(name.length / 15)),
  directoryBytes: (entries, cluster) => Math.max(roundUp(entries, cluster), cluster),
}
