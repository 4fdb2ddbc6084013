import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { outputError } from './output-error.ts'
import { isTemporaryName } from './temporary-name.ts'

/**
 * Removes what killed runs left of `commitFile` and `removeTree` in this directory, not below it, and returns the names.
 * Only under the lock that all writers of the directory hold: a temporary file of a living run looks the same.
 */
export async function removeOrphans(directory: string): Promise<string[]> {
  try {
    const orphans = (await readdir(directory)).filter(isTemporaryName).toSorted()
    for (const name of orphans) await rm(join(directory, name), { recursive: true })
    return orphans
  } catch (error) {
    throw outputError(error, 'clean', directory)
  }
}
