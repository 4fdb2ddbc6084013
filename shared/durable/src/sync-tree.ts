import { constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { outputError } from './output-error.ts'
import { syncDirectory, syncPath } from './sync-directory.ts'

/**
 * Makes every regular file and directory under `directory`, and itself, durable, innermost first. Other things in it
 * (links, sockets) are durable with the directory that names them. Throws IO_FAILED, IO_NO_SPACE, PERMISSION_DENIED.
 */
export async function syncTree(directory: string): Promise<void> {
  try {
    await sync(directory)
  } catch (error) {
    throw outputError(error, 'sync', directory)
  }
}

async function sync(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await sync(path)
    else if (entry.isFile()) await syncPath(path, constants.O_NOFOLLOW | constants.O_NONBLOCK)
  }
  await syncDirectory(directory)
}
