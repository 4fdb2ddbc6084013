import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { outputError, removeTree } from '@carryall/durable'

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755
/** What is answered by a file system that keeps no modes, or not for everyone. */
const NO_MODES = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** A directory in which a volume is put together, and what this run knows of it. Nothing in it is durable. */
export class StagingTree {
  readonly path: string
  /** True for those that were not there before this run: nothing has to be looked for in them. */
  readonly #directories = new Map<string, Promise<boolean>>()
  /** What the umask does to files here; known once one has been made. */
  #isModeKept: boolean | undefined

  constructor(path: string) {
    this.path = path
  }

  pathOf(stored: string): string {
    return join(this.path, stored)
  }

  /** Bytes of the file that an earlier run left; undefined where there is none. Makes its directory. */
  async size(stored: string): Promise<number | undefined> {
    if (await this.#directoryOf(stored)) return undefined
    const path = this.pathOf(stored)
    const found = await lstat(path).catch(() => undefined)
    if (!found?.isFile()) return undefined
    // A run that was killed may not have come to it. A second name of a source is not ours to change.
    if ((found.mode & 0o777) !== FILE_MODE && found.nlink === 1) await setMode(path, FILE_MODE)
    return found.size
  }

  /** Frees a name from what an earlier run left there, and makes its directory. */
  async clear(stored: string): Promise<void> {
    if (!(await this.#directoryOf(stored))) await removeTree(this.pathOf(stored))
  }

  /** Makes a file under a name that is free, and fills it by `fill`. Throws IO_NO_SPACE, IO_FAILED … for this file. */
  async write<T>(stored: string, fill: (handle: FileHandle) => Promise<T>): Promise<T> {
    try {
      await using handle = await open(this.pathOf(stored), FLAGS, FILE_MODE)
      this.#isModeKept ??= ((await handle.stat()).mode & 0o777) === FILE_MODE
      if (!this.#isModeKept) await handle.chmod(FILE_MODE).catch(hasNoModes)
      return await fill(handle)
    } catch (error) {
      throw unwritable(error, this.pathOf(stored))
    }
  }

  #directoryOf(stored: string): Promise<boolean> {
    return this.#directory(dirname(this.pathOf(stored)))
  }

  #directory(path: string): Promise<boolean> {
    const known = this.#directories.get(path)
    if (known !== undefined) return known
    const making = this.#make(path)
    this.#directories.set(path, making)
    return making
  }

  async #make(path: string): Promise<boolean> {
    // What is above the tree has to be there: where a medium was pulled out, nothing is made in its place.
    if (path !== this.path) await this.#directory(dirname(path))
    try {
      const isNew = await mkdir(path, { mode: DIRECTORY_MODE }).then(
        () => true,
        (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : Promise.reject(error)),
      )
      // A run that was killed may have made it, and no more.
      if (((await lstat(path)).mode & 0o777) !== DIRECTORY_MODE) await setMode(path, DIRECTORY_MODE)
      return isNew
    } catch (error) {
      throw unwritable(error, path)
    }
  }
}

async function setMode(path: string, mode: number): Promise<void> {
  await chmod(path, mode)
    .catch(hasNoModes)
    .catch((error: unknown) => {
      throw unwritable(error, path)
    })
}

/** Where the file system has no modes they do not matter. */
function hasNoModes(error: NodeJS.ErrnoException): void {
  if (!NO_MODES.has(error.code ?? '')) throw error
}

function unwritable(error: unknown, path: string): unknown {
  return outputError(error, 'write', path)
}
