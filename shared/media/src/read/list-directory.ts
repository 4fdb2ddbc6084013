import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError } from '@carryall/errors'
import { Census } from './census.ts'
import { fileName } from './file-name.ts'
import { fileUnexpected } from './volume-invalid.ts'

/** A regular file below a directory, as it was when it was listed. */
export interface ListedFile {
  readonly path: string
  readonly size: number
}

const AT_ONCE = 64

/**
 * All regular files below a directory; nothing is opened or followed. Throws FILE_UNEXPECTED for whatever is neither file nor directory,
 * PATH_UNSAFE, VOLUME_INVALID (two names that are one, too many or too deep), INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function listDirectory(root: string, signal?: AbortSignal): Promise<readonly ListedFile[]> {
  const census = new Census(root)
  const files: ListedFile[] = []
  const pending = ['']
  const take = (path: string, stats: Stats) => {
    census.add(path, stats.size)
    if (stats.isFile()) files.push({ path, size: stats.size })
    else if (stats.isDirectory()) pending.push(path)
    else throw fileUnexpected(kindOf(stats), path, root)
  }
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for await (const names of directoryNames(join(root, directory))) {
      signal?.throwIfAborted()
      const found = names.map((bytes) => (directory === '' ? '' : `${directory}/`) + fileName(bytes, root))
      const stats = await Promise.all(found.map((path) => statOf(join(root, path))))
      found.forEach((path, index) => take(path, stats[index]!))
    }
  }
  return files
}

/** The names in a directory, as bytes and as they come, some at a time. Throws INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED. */
export async function* directoryNames(directory: string): AsyncGenerator<readonly Buffer[], void, undefined> {
  try {
    // As bytes: a name that is not UTF-8 would come as another one.
    const entries = await opendir(directory, { encoding: 'buffer' as BufferEncoding, bufferSize: 512 })
    let some: Buffer[] = []
    for await (const entry of entries) {
      some.push(entry.name as unknown as Buffer)
      if (some.length < AT_ONCE) continue
      yield some
      some = []
    }
    yield some
  } catch (error) {
    throw fromSystemError(error, `read the directory ${directory}`, {
      subject: { kind: 'file', name: directory },
    })
  }
}

/** What is at a path itself, without following it. Throws INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED. */
export async function statOf(path: string): Promise<Stats> {
  try {
    return await lstat(path)
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  }
}

/** What it is, in words, where it is no regular file. */
export function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'the symbolic link'
  if (stats.isFIFO()) return 'the FIFO'
  if (stats.isSocket()) return 'the socket'
  if (stats.isDirectory()) return 'the directory'
  return 'the device'
}
