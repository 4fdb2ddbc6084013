import { constants } from 'node:fs'
import { lstat, rename } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CarryallError } from '@carryall/errors'
import { outputError } from './output-error.ts'
import { syncDirectory, syncName, syncPath } from './sync-directory.ts'

/**
 * Gives a staged file its final name by one rename, when it is durable. Both must be on one file system.
 * Throws OUTPUT_EXISTS where `final` is there and `replace` is false, else as `commitFile` does.
 */
export async function publishFile(
  staged: string,
  final: string,
  options: { readonly replace: boolean },
): Promise<void> {
  try {
    await syncPath(staged, constants.O_NOFOLLOW)
    const there = await lstat(final).catch(() => undefined)
    if (there !== undefined && !options.replace) {
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
