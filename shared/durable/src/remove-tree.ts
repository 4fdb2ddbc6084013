import { rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { outputError } from './output-error.ts'
import { temporaryName } from './temporary-name.ts'

/**
 * Removes a staging directory, never anything published. It loses its name first, so that half of it is never taken for
 * all; what a crash leaves is for `removeOrphans`. Nothing happens if it is not there. Throws as `commitFile` does.
 */
export async function removeTree(path: string): Promise<void> {
  const doomed = join(dirname(resolve(path)), temporaryName())
  try {
    await rename(path, doomed)
    await rm(doomed, { recursive: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw outputError(error, 'remove', path)
  }
}
