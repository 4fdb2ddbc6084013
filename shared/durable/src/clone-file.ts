import { chmod, constants, copyFile, link } from 'node:fs/promises'
import { outputError } from './output-error.ts'

/** What a file system answers that cannot share data, or not with the one of the source. */
const CANNOT = new Set(['EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY', 'EINVAL', 'EPERM', 'EMLINK'])

/**
 * Makes `target`, a staging name that is free, from the data of `source` without copying it: `reflink` shares the blocks until one of both is
 * written to, `hard` is a second name of the same file. False where the file systems cannot; nothing is there then. Not
 * durable until synced. Throws INPUT_NOT_FOUND, PERMISSION_DENIED, OUTPUT_EXISTS, IO_NO_SPACE, IO_FAILED.
 */
export async function cloneFile(source: string, target: string, how: 'reflink' | 'hard'): Promise<boolean> {
  try {
    if (how === 'hard') await link(source, target)
    else {
      await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
      await chmod(target, 0o644)
    }
    return true
  } catch (error) {
    if (CANNOT.has((error as NodeJS.ErrnoException).code ?? '')) return false
    throw outputError(error, `make ${target} of`, source)
  }
}
