import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { readChunks } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import { Doubles } from './doubles.ts'
import { kindOf, type ListedFile, listDirectory } from './list-directory.ts'
import { namedChunks, sizeMismatch } from './named-chunks.ts'
import { inReadingOrder } from './own-files.ts'
import { fileUnexpected } from './volume-invalid.ts'
import type { VolumeFile, VolumeSource } from './volume-source.ts'

/** A volume that is a directory. `files` throws as `listDirectory` does. */
export function directoryVolume(path: string, signal?: AbortSignal): VolumeSource {
  return {
    name: basename(resolve(path)),
    place: path,
    replayable: true,
    async *files() {
      const listed = await listDirectory(path, signal)
      const doubles = new Doubles(path)
      for (const file of listed) doubles.add(file.path)
      for (const file of inReadingOrder(listed)) yield volumeFile(path, file)
    },
    close: async () => undefined,
  }
}

function volumeFile(root: string, { path, size }: ListedFile): VolumeFile {
  const file = { path, size, place: root }
  async function* data(signal?: AbortSignal) {
    // What was a file when it was listed may be a link or a FIFO by now.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    await using handle = await open(join(root, path), flags)
    const now = await handle.stat()
    if (!now.isFile()) throw fileUnexpected(kindOf(now), path, root)
    // Not by inode: FAT makes up another one whenever it has forgotten the file.
    if (now.size !== size) throw sizeMismatch(file, now.size)
    yield* readChunks(handle, 0, size, signal === undefined ? {} : { signal })
  }
  return { path, size, chunks: (signal) => namedChunks(swapped(data(signal), file), file) }
}

/** The system's words for a file that is no longer what it was. */
async function* swapped(
  chunks: AsyncIterable<Buffer>,
  { path, place }: { readonly path: string; readonly place: string },
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* chunks
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP') throw fileUnexpected('the symbolic link', path, place)
    if (code !== 'ENOENT' && code !== 'ENXIO') throw error
    throw new CarryallError('FILE_MISSING', `Cannot read ${path} of ${place}: it was there and is gone`, {
      hint: 'Let nobody write to the medium while it is read, and run the same command again',
      subject: { kind: 'file', name: path },
      cause: error,
    })
  }
}
