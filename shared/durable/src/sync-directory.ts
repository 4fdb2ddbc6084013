import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes the entries of a directory durable: names that were created, renamed or removed in it. Errors are the system's. */
export async function syncDirectory(path: string): Promise<void> {
  await syncPath(path, constants.O_DIRECTORY)
}

/**
 * Makes a name durable that a file or directory got by a rename. FAT keeps in the name where the content is, and writes that
 * into a new name only when what it names is synced: the directory alone would be a name of nothing after a power cut.
 */
export async function syncName(path: string): Promise<void> {
  try {
    await syncPath(path, constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    // Nothing is lost where another has taken the name away since.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await syncDirectory(dirname(path))
}

/** fsync of what is at `path`; a descriptor for reading is enough. */
export async function syncPath(path: string, flags: number): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | flags)
  try {
    await handle.sync()
  } catch (error) {
    await handle.close().catch(() => undefined)
    throw error
  }
  await handle.close()
}
