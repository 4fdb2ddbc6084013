import type { FileSystemName } from '@carryall/schemas'
import { iso9660, udf } from './disc-systems.ts'
import { exfat, fat32 } from './fat-systems.ts'
import { btrfs, ext4, plain, xfs } from './host-systems.ts'

/**
 * What a file system takes, and what it cannot hold. Pure; all figures are bytes and upper bounds that are close. A medium
 * is an empty one, made by that system's mkfs with its defaults.
 */
export interface FileSystem {
  readonly name: FileSystemName
  readonly maxFileBytes: number
  /** Sum of `entryBytes` that a directory can hold. */
  readonly maxDirectoryBytes: number
  /** In what space is given out on a medium of this size. */
  clusterBytes(medium: number): number
  /** What the file system takes for itself: tables, journal, reserves, an empty root directory. */
  overheadBytes(medium: number): number
  /** Files and directories that a medium of this size can hold. */
  maxFiles(medium: number): number
  /** What a file of `size` takes, without its name. */
  fileBytes(size: number, cluster: number): number
  /** What a name takes in its directory. */
  entryBytes(name: string): number
  /** What a directory takes whose names take `entries` bytes. */
  directoryBytes(entries: number, cluster: number): number
  /** Why it cannot hold a file or directory of this name; undefined where it can. */
  nameFault(name: string): string | undefined
  /** The same for two names that cannot be, or may not stay, apart in one directory. */
  nameKey(name: string): string
}

const SYSTEMS: Readonly<Record<FileSystemName, FileSystem>> = {
  fat32,
  exfat,
  ext4,
  xfs,
  btrfs,
  udf,
  iso9660,
  plain,
}

/** The model of a file system. */
export function fileSystem(name: FileSystemName): FileSystem {
  return SYSTEMS[name]
}
