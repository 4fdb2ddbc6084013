import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fromSystemError, isCarryallError } from '@carryall/errors'
import { outputError } from './output-error.ts'
import { syncDirectory } from './sync-directory.ts'
import { writeAll } from './write-all.ts'

const MODE = 0o640
const STEP = 64 * 1024
const NEWLINE = 0x0a

/** What a file of lines ends with. */
export interface Tail {
  /** The last whole line with its newline; undefined where there is none. */
  readonly previous: Buffer | undefined
  /** Bytes behind it, of a line that was cut while it was written. */
  readonly dropped: number
}

/**
 * Appends one line to a file, which is made if absent, with one write, and makes it durable. `make` gets what the file ends
 * with; what was cut behind the last newline is dropped. A failure leaves the lines as they were. Only under a lock that
 * all writers of the file hold. Gives the line with its newline. Throws as `commitFile` does, and what `make` throws.
 */
export async function appendLine(path: string, make: (tail: Tail) => string): Promise<Buffer> {
  let handle: FileHandle | undefined
  try {
    handle = await openLog(path)
    const { size } = await handle.stat()
    const { previous, dropped } = await tailOf(handle, size)
    const line = Buffer.from(`${make({ previous, dropped })}\n`)
    const end = size - dropped
    if (dropped > 0) await handle.truncate(end)
    await write(handle, line, end)
    await handle.close()
    return line
  } catch (error) {
    await handle?.close().catch(() => undefined)
    throw outputError(error, 'append to', path)
  }
}

/**
 * The last whole line of a file, with its newline; undefined where there is none. With `make` the file is made if absent,
 * and proven to be writable. Throws as `commitFile` does.
 */
export async function lastLine(
  path: string,
  options: { readonly make?: boolean } = {},
): Promise<Buffer | undefined> {
  try {
    await using handle = await (options.make
      ? openLog(path)
      : open(path, constants.O_RDONLY | constants.O_NOFOLLOW))
    return (await tailOf(handle, (await handle.stat()).size)).previous
  } catch (error) {
    if (options.make) throw outputError(error, 'open', path)
    const failure = fromSystemError(error, `read ${path}`)
    if (isCarryallError(failure, 'INPUT_NOT_FOUND')) return undefined
    throw failure
  }
}

async function openLog(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW
  try {
    return await open(path, flags)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const handle = await open(path, flags | constants.O_CREAT, MODE)
  try {
    await handle.chmod(MODE)
    await handle.sync()
    await syncDirectory(dirname(path))
    return handle
  } catch (error) {
    await handle.close().catch(() => undefined)
    throw error
  }
}

async function write(handle: FileHandle, line: Buffer, end: number): Promise<void> {
  try {
    await writeAll(handle, line, end)
    await handle.sync()
  } catch (error) {
    // Half a line is dropped by the next writer anyway; a whole one that is not durable must not be counted on.
    await handle.truncate(end).catch(() => undefined)
    throw error
  }
}

/** Looks backwards for the newline before the last one. */
async function tailOf(handle: FileHandle, size: number): Promise<Tail> {
  let read = Buffer.alloc(0)
  for (let start = size; ;) {
    const last = read.lastIndexOf(NEWLINE)
    const before = last > 0 ? read.lastIndexOf(NEWLINE, last - 1) : -1
    if (before >= 0 || start === 0) {
      return {
        previous: last < 0 ? undefined : Buffer.from(read.subarray(before + 1, last + 1)),
        dropped: read.length - last - 1,
      }
    }
    const step = Math.min(STEP, start)
    start -= step
    const chunk = Buffer.alloc(step)
    for (let done = 0; done < step;) {
      const { bytesRead } = await handle.read(chunk, done, step - done, start + done)
      if (bytesRead === 0) throw new Error(`File ended at ${start + done} while it was read`)
      done += bytesRead
    }
    read = Buffer.concat([chunk, read])
  }
}
