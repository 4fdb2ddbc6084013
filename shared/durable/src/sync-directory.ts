import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Makes the entries of a directory durable: names that were created, renamed or removed in it. Errors are the system's. */
export async function syncDirectory(path: string): Promise<void> {
  await syncPath(path, constants.O_DIRECTORY)
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
