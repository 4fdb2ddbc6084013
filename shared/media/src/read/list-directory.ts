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
  readonly stats: Stats
}

/**
 * All regular files below a directory; nothing is opened or followed. Throws FILE_UNEXPECTED for whatever is neither file nor directory,
 * PATH_UNSAFE, VOLUME_INVALID (two names that are one, too many or too deep), INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function listDirectory(root: string, signal?: AbortSignal): Promise<readonly ListedFile[]> {
  const census = new Census(root)
  const files: ListedFile[] = []
  const pending = ['']
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for await (const bytes of directoryNames(join(root, directory))) {
      signal?.throwIfAborted()
      const name = fileName(bytes, root)
      const path = directory === '' ? name : `${directory}/${name}`
      const stats = await statOf(join(root, path))
      census.add(path, stats.size)
      if (stats.isFile()) files.push({ path, stats })
      else if (stats.isDirectory()) pending.push(path)
      else throw fileUnexpected(kindOf(stats), path, root)
    }
  }
  return files
}

/** The names in a directory, as bytes and as they come. Throws INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED. */
export async function* directoryNames(directory: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    // As bytes: a name that is not UTF-8 would come as another one.
    const entries = await opendir(directory, { encoding: 'buffer' as BufferEncoding, bufferSize: 512 })
    for await (const entry of entries) yield entry.name as unknown as Buffer
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
