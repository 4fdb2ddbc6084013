import { open } from 'node:fs/promises'
import { mustRun } from '../support/run.ts'

/** Makes an empty FAT32 in a new sparse file, as on a stick. 33 MiB at least. */
export async function makeFat32(file: string, bytes: number): Promise<void> {
  await makeSparse(file, bytes)
  await mustRun('mkfs.vfat', ['-F', '32', file])
}

/** Makes an empty UDF in a new sparse file: with blocks of 512 bytes as on a stick, or of 2048 as on a disc. */
export async function makeUdf(file: string, bytes: number, blockBytes: 512 | 2048 = 512): Promise<void> {
  await makeSparse(file, bytes)
  await mustRun('mkudffs', [`--blocksize=${blockBytes}`, file])
}

/** Makes an ISO 9660 with the long names of Rock Ridge and Joliet from the content of a directory. */
export async function makeIso(file: string, directory: string): Promise<void> {
  await mustRun('xorriso', ['-as', 'mkisofs', '-quiet', '-R', '-J', '-o', file, directory])
}

async function makeSparse(file: string, bytes: number): Promise<void> {
  await using handle = await open(file, 'wx')
  await handle.truncate(bytes)
}
