import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory, publishDirectory, removeOrphans, removeTree } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

/** Where runs keep what is not published yet, on the file system of the content directory. For the holder of its lock. */
export interface Staging {
  /** Directory of this id; made if it is not there. */
  staging(id: string): Promise<string>
  /** Other runs' staging directories, oldest name first: content in them can be used again. */
  leftovers(id: string): Promise<readonly string[]>
  /** Makes a staging directory one of the leftovers, so that its id begins anew. Nothing where there is none. */
  retire(id: string): Promise<void>
  discard(stagingDirectory: string): Promise<void>
}

/** The staging area of a content directory. */
export function stagingOf(content: string): Staging {
  const root = join(content, '.carryall', 'staging')
  const names = async (): Promise<readonly string[]> => {
    try {
      return await readdir(root)
    } catch (error) {
      throw fromSystemError(error, `read ${root}`)
    }
  }
  return {
    async staging(id) {
      const directory = join(root, id)
      await ensureDirectory(directory)
      await removeOrphans(directory)
      return directory
    },
    async leftovers(id) {
      return (await names())
        .filter((name) => name !== id && !name.startsWith('.'))
        .sort()
        .map((name) => join(root, name))
    },
    async retire(id) {
      const taken = await names()
      if (!taken.includes(id)) return
      let number = 1
      while (taken.includes(`${id}-${number}`)) number++
      try {
        await publishDirectory(join(root, id), join(root, `${id}-${number}`))
      } catch (error) {
        // Where a sync failed the cache may show what the disk never got, and no later sync would tell.
        await removeTree(join(root, id)).catch(() => undefined)
        throw error
      }
    },
    discard: removeTree,
  }
}
