import type { FileSystem } from './file-system.ts'
import { byteNameFault } from './names.ts'
import { GIB, KIB, lookUp, MIB, roundUp, TIB } from './sizes.ts'

const BLOCK = 4 * KIB

const common = {
  maxFileBytes: Infinity,
  maxDirectoryBytes: Infinity,
  clusterBytes: () => BLOCK,
  nameFault: (name: string) => byteNameFault(name, 255),
  nameKey: (name: string) => name,
} as const

/** No file system in particular: clusters of 4 KiB. */
export const plain: FileSystem = {
  ...common,
  name: 'plain',
  overheadBytes: () => 0,
  maxFiles: () => Infinity,
  fileBytes: roundUp,
  entryBytes: (name) => 16 + Buffer.byteLength(name),
  directoryBytes: (entries, cluster) => Math.max(roundUp(entries, cluster), cluster),
}

/** Bytes for each inode: `inode_ratio` of mke2fs.conf for small, default, big and huge. */
const EXT4_RATIO = [
  [512 * MIB - 1, 4 * KIB],
  [4 * TIB - 1, 16 * KIB],
  [16 * TIB - 1, 32 * KIB],
  [Infinity, 64 * KIB],
] as const
/** mke2fs: blocks of the journal for blocks of the file system. */
const EXT4_JOURNAL = [
  [32_767, 1024],
  [262_143, 4096],
  [524_287, 8192],
  [4_194_303, 16_384],
  [8_388_607, 32_768],
  [16_777_215, 65_536],
  [33_554_431, 131_072],
  [Infinity, 262_144],
] as const
const EXT4_INODE = 256
/** At most 128 MiB; the tables of the block groups cut some of them. */
const EXT4_EXTENT = 64 * MIB

export const ext4: FileSystem = {
  ...common,
  name: 'ext4',
  maxFileBytes: 16 * TIB - BLOCK,
  clusterBytes: (medium) => (medium < 512 * MIB ? KIB : BLOCK),
  overheadBytes(medium) {
    const block = this.clusterBytes(medium)
    const groups = Math.ceil(medium / (8 * block * block))
    const inodes = groups * roundUp(((8 * block * block) / lookUp(EXT4_RATIO, medium)) * EXT4_INODE, block)
    const journal = lookUp(EXT4_JOURNAL, medium / block) * block
    // sparse_super: groups 0 and 1 and the powers of 3, 5 and 7, each with room for tables that may grow.
    const copies = Math.min(groups, 2 + (Math.log(groups + 1) / Math.log(3)) * 2.5)
    const descriptors = copies * (block + roundUp(groups * 64, block) + (block * block) / 4)
    const reserved = 0.05 * medium + Math.min(0.02 * medium, 4096 * block)
    return Math.ceil(
      Math.min(inodes, (medium / lookUp(EXT4_RATIO, medium)) * EXT4_INODE + groups * block) +
        journal +
        groups * 2 * block +
        descriptors +
        reserved +
        16 * KIB +
        4 * block,
    )
  },
  maxFiles: (medium) => Math.max(0, Math.floor(medium / lookUp(EXT4_RATIO, medium)) - 64),
  fileBytes(size, cluster) {
    const extents = Math.ceil(size / EXT4_EXTENT)
    const tree = extents > 4 ? Math.ceil(extents / ((cluster - 16) / 12)) + 1 : 0
    return roundUp(size, cluster) + tree * cluster
  },
  entryBytes: (name) => roundUp(8 + Buffer.byteLength(name), 4),
  // One block as it is; more are split in halves, below an index.
  directoryBytes(entries, cluster) {
    const room = cluster - 12
    if (entries + 24 <= room) return cluster
    const blocks = Math.ceil((2 * entries) / room) + 1
    return (blocks + 1 + Math.ceil(blocks / (room / 8 - 1))) * cluster
  },
}

export const xfs: FileSystem = {
  ...common,
  name: 'xfs',
  // The log; what reverse mapping and reflink reserve of each allocation group.
  overheadBytes: (medium) =>
    Math.ceil(Math.max(64 * MIB, Math.min(medium / 2048, 2 * GIB)) + 0.02 * medium + 40 * MIB),
  maxFiles: () => Infinity,
  // 512 bytes of inode; extents of at most 8 GiB, of which a few are in it.
  fileBytes: (size, cluster) => roundUp(size, cluster) + 512 + (size > 32 * GIB ? cluster : 0),
  entryBytes: (name) => roundUp(12 + Buffer.byteLength(name), 8) + 8,
  directoryBytes: (entries, cluster) =>
    512 + (entries > 200 ? roundUp(2 * entries, cluster) + 2 * cluster : 0),
}

/** Two copies of an item of metadata in leaves that are half full. */
const btrfsItems = (bytes: number): number => 4 * bytes

export const btrfs: FileSystem = {
  ...common,
  name: 'btrfs',
  // Chunks for the system and for metadata, each twice; what metadata takes beyond that comes with the files.
  overheadBytes(medium) {
    const metadata = medium > 50 * GIB ? GIB : Math.min(256 * MIB, Math.max(32 * MIB, medium / 10))
    return Math.ceil(2 * metadata + 24 * MIB)
  },
  maxFiles: () => Infinity,
  // Inode, extents and checksums: 4 bytes for each block.
  fileBytes: (size, cluster) =>
    roundUp(size, cluster) +
    btrfsItems(400 + Math.ceil(size / cluster) * 4 + Math.ceil(size / (128 * MIB)) * 160),
  // Its name is in the inode's reference and in two indexes of the directory.
  entryBytes: (name) => btrfsItems(150 + 3 * Buffer.byteLength(name)),
  directoryBytes: (entries) => btrfsItems(200) + entries,
}
