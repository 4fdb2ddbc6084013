import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { removeTree, writeAll } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Bytes of the regular file at a staging path; undefined where there is none. */
export async function stagedSize(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined)
  return found?.isFile() ? found.size : undefined
}

/** Makes a file in the staging, in place of what is there, and fills it by `fill`. Not durable. Throws IO_NO_SPACE, IO_FAILED … */
export async function writeStaged<T>(path: string, fill: (handle: FileHandle) => Promise<T>): Promise<T> {
  // A second name of a source would be written through; what is there is no use anyway.
  await removeTree(path)
  const handle = await open(path, FLAGS, 0o644).catch((error: unknown) => {
    throw unwritable(error, path)
  })
  try {
    // Whatever the umask; where the file system has no modes it does not matter.
    await handle.chmod(0o644).catch(() => undefined)
    return await fill(handle)
  } finally {
    await handle.close().catch((error: unknown) => {
      throw unwritable(error, path)
    })
  }
}

/**
 * Writes chunks from the start. `eat` has each while it is being written: that is when hashing costs no time. Gives back how
 * many bytes there were.
 */
export async function pump(
  chunks: AsyncIterable<Buffer>,
  target: { readonly handle: FileHandle; readonly path: string },
  eat: (chunk: Buffer, end: number) => void,
): Promise<number> {
  let position = 0
  for await (const chunk of chunks) {
    const writing = writeAll(target.handle, chunk, position)
    // It is awaited below; until then a failure is not an unhandled one.
    writing.catch(() => undefined)
    eat(chunk, position + chunk.length)
    await writing.catch((error: unknown) => {
      throw unwritable(error, target.path)
    })
    position += chunk.length
  }
  return position
}

function unwritable(error: unknown, path: string): unknown {
  return fromSystemError(error, `write ${path}`, { subject: { kind: 'file', name: path } })
}

/** Makes a directory of the staging, and those above it, unless it is in `made`. */
export async function makeStagedDirectory(path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return
  try {
    const first = await mkdir(path, { recursive: true, mode: 0o755 })
    for (let at = path; first !== undefined && at.length >= first.length; at = dirname(at))
      await chmod(at, 0o755).catch(() => undefined)
  } catch (error) {
    throw unwritable(error, path)
  }
  made.add(path)
}
