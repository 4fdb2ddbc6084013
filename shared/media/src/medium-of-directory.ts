import { statfs } from 'node:fs/promises'
import { fromSystemError } from '@carryall/errors'
import type { FileSystemName, Medium } from '@carryall/schemas'

/** `f_type` of statfs(2). */
const MAGIC: Readonly<Record<number, FileSystemName>> = {
  0x4d44: 'fat32',
  0x2011bab0: 'exfat',
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x15013346: 'udf',
  0x9660: 'iso9660',
}
/** What is written beside a volume: the lock, and the names in its directory. */
const BESIDE_CLUSTERS = 3

/**
 * The medium that is mounted where a directory is: what is free there for us, now, less `reserveBytes`. File systems that
 * are not known are `plain`. Throws INPUT_NOT_FOUND, PERMISSION_DENIED.
 */
export async function mediumOfDirectory(path: string, reserveBytes: number): Promise<Medium> {
  const found = await statfs(path).catch((error: unknown) => {
    throw fromSystemError(error, `open ${path}`, { subject: { kind: 'file', name: path } })
  })
  // A negative number where the magic has its highest bit set.
  const filesystem = MAGIC[found.type >>> 0] ?? 'plain'
  const cluster = Math.max(512, found.bsize)
  return {
    name: `dir:${path}`,
    capacity_bytes: Math.max(0, found.bavail * found.bsize - BESIDE_CLUSTERS * cluster - reserveBytes),
    filesystem,
    cluster_bytes: cluster,
    // Where inodes are made when they are needed, none are told.
    ...(found.files > 0 ? { max_files: found.ffree } : {}),
  }
}
