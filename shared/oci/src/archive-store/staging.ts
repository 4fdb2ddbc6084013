import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  acquireLock,
  commitFile,
  ensureDirectory,
  type Lock,
  removeOrphans,
  removeTree,
} from '@carryall/durable'
import { isCarryallError } from '@carryall/errors'
import { IndexFile } from '../layout/index-file.ts'
import { LayoutBlobs } from '../layout/layout-blobs.ts'
import { EMPTY_INDEX, type LayoutIndex, printIndex } from '../layout/layout-index.ts'
import type { ArchiveFile } from './archive-file.ts'

export interface ArchiveOptions {
  /** Seconds to wait for another writer of the same archive. */
  readonly waitSeconds?: number
  /** Who holds the lock, for those who wait. */
  readonly holder?: string
  readonly signal?: AbortSignal
}

// A key of the staged index.json, which no other program reads: what the archive was when its names were staged.
const BASE = 'carryall-base'

/** What waits to become an archive: a hidden directory beside it, the same for each run, with a lock in it. */
export interface Staging {
  readonly directory: string
  readonly blobs: LayoutBlobs
  /**
   * The index that the archive is to have. Names of an earlier run count only as long as the archive is what it was then;
   * else the archive's own do, and `base` is where this one begins.
   */
  index(base: ArchiveFile | undefined, own: string): Promise<IndexFile>
  /** Removes everything, the lock last, which goes on being held. */
  remove(): Promise<void>
  /** Frees the lock. What is staged stays; a directory in which nothing is staged does not. */
  release(): Promise<void>
}

/** Opens the staging of an archive, which is made if absent. Throws LOCK_HELD, OUTPUT_NOT_WRITABLE, IO_*. */
export async function openStaging(file: string, options: ArchiveOptions): Promise<Staging> {
  const directory = join(dirname(file), `.${basename(file)}.carryall`)
  const blobs = join(directory, 'blobs', 'sha256')
  const lock = await lockStaging(directory, options)
  try {
    await ensureDirectory(blobs)
    for (const path of [directory, blobs]) await removeOrphans(path)
  } catch (error) {
    await lock.release()
    throw error
  }
  const remove = async (): Promise<void> => {
    // Most of it goes under a name that the next run looks for, too.
    await removeTree(join(directory, 'blobs'))
    await removeTree(directory)
  }
  const isUntouched = async (): Promise<boolean> => {
    if ((await readdir(blobs).catch(() => undefined))?.length !== 0) return false
    return opened === undefined || printIndex(await opened.index.read()) === opened.before
  }
  let opened: { readonly index: IndexFile; readonly before: string } | undefined
  return {
    directory,
    blobs: new LayoutBlobs(blobs),
    async index(base, own) {
      const path = join(directory, 'index.json')
      const index = new IndexFile(path, own)
      const staged = await index.read().catch((error: unknown) => {
        if (isCarryallError(error, 'INPUT_NOT_FOUND', 'INPUT_SYNTAX')) return undefined
        throw error
      })
      const marked = markedIndex(base)
      const before = printIndex(marked)
      if (staged?.document[BASE] !== marked.document[BASE]) await commitFile(path, before)
      opened = { index, before }
      return index
    },
    remove,
    async release() {
      try {
        if (await isUntouched()) await remove()
      } finally {
        await lock.release()
      }
    },
  }
}

function markedIndex(base: ArchiveFile | undefined): LayoutIndex {
  const { document, ...index } = base?.index ?? EMPTY_INDEX
  return { ...index, document: { ...document, [BASE]: base?.indexDigest ?? 'none' } }
}

/** An index as it is published. */
export function unmarked(index: LayoutIndex): LayoutIndex {
  const keys = Object.entries(index.document).filter(([key]) => key !== BASE)
  return { ...index, document: Object.fromEntries(keys) }
}

/** A lock that another run removed with its staging guards nothing: the one that counts is found under its name. */
async function lockStaging(directory: string, options: ArchiveOptions): Promise<Lock> {
  const path = join(directory, 'lock')
  for (;;) {
    await ensureDirectory(directory)
    const before = await inodeOf(path)
    const lock = await acquireLock(path, {
      waitSeconds: options.waitSeconds ?? 0,
      holder: options.holder ?? 'a writer of this OCI archive',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    if (before !== undefined && before === (await inodeOf(path))) return lock
    await lock.release()
  }
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ino
}
