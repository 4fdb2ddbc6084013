import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { removeTree } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755

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
    const found = await lstat(this.pathOf(stored)).catch(() => undefined)
    return found?.isFile() ? found.size : undefined
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
      // Where the file system has no modes it does not matter.
      if (!this.#isModeKept) await handle.chmod(FILE_MODE).catch(() => undefined)
      return await fill(handle)
    } catch (error) {
      throw unwritable(error, this.pathOf(stored))
    }
  }

  #directoryOf(stored: string): Promise<boolean> {
    const path = dirname(this.pathOf(stored))
    const known = this.#directories.get(path)
    if (known !== undefined) return known
    const making = this.#make(path)
    this.#directories.set(path, making)
    return making
  }

  async #make(path: string): Promise<boolean> {
    try {
      const first = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE })
      for (let at = path; first !== undefined && at.length >= first.length; at = dirname(at))
        await chmod(at, DIRECTORY_MODE).catch(() => undefined)
      return first !== undefined
    } catch (error) {
      throw unwritable(error, path)
    }
  }
}

function unwritable(error: unknown, path: string): unknown {
  return fromSystemError(error, `write ${path}`, { subject: { kind: 'file', name: path } })
}
