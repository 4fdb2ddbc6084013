import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { outputError } from './output-error.ts'
import { removeOrphans } from './remove-orphans.ts'

/**
 * Makes a staged tree, itself included, what `commitFile` and `ensureDirectory` would have left, had no run been killed in
 * them: temporary files are removed, and every directory has the mode 0o755. Only under the lock that all writers of the
 * tree hold. Throws as `commitFile` does.
 */
export async function mendTree(directory: string): Promise<void> {
  await removeOrphans(directory)
  try {
    await chmod(directory, 0o755)
    for (const entry of await readdir(directory, { withFileTypes: true }))
      if (entry.isDirectory()) await mendTree(join(directory, entry.name))
  } catch (error) {
    throw outputError(error, 'mend', directory)
  }
}
