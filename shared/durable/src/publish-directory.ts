import { lstat, rename } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CarryallError } from '@carryall/errors'
import { outputError } from './output-error.ts'
import { syncDirectory, syncName } from './sync-directory.ts'
import { syncTree } from './sync-tree.ts'

/**
 * Makes a finished directory visible by one rename: `final` is absent or complete at every moment, and durable with all in
 * it when the promise is fulfilled. Both must be on one file system. Call it under the lock that guards the names beside
 * `final`. Throws OUTPUT_EXISTS if `final` is there, else as `commitFile` does; after a failure `staged` is whole, there
 * or, if only the last sync failed, as `final`.
 */
export async function publishDirectory(staged: string, final: string): Promise<void> {
  await syncTree(staged)
  try {
    if (await exists(final)) {
      throw new CarryallError('OUTPUT_EXISTS', `Cannot publish ${final}: it exists`, {
        subject: { kind: 'file', name: final },
      })
    }
    await rename(staged, final)
    await syncName(final)
    if (dirname(resolve(staged)) !== dirname(resolve(final))) await syncDirectory(dirname(staged))
  } catch (error) {
    throw outputError(error, 'publish', final)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
