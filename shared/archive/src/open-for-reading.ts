import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'

/** An archive opened for reading, and its size at that moment. */
export interface OpenedArchive {
  readonly handle: FileHandle
  readonly size: number
  /** For messages. */
  readonly file: string
  /** Its first `size` bytes, as `readChunks` gives them, with errors that name the file. */
  readonly chunks: (size: number, signal?: AbortSignal) => AsyncGenerator<Buffer, void, undefined>
  /** Closes what was opened here; the caller's own handle stays open. */
  readonly close: () => Promise<void>
}

/**
 * Opens a path, or takes a handle, called `name`, that the caller goes on owning. Throws SIZE_MISMATCH where `expected` is given and is
 * not the file's size, INPUT_REFUSED for what is not a regular file, INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function openForReading(
  source: string | FileHandle,
  expected?: number,
  name = 'the archive',
): Promise<OpenedArchive> {
  const file = typeof source === 'string' ? source : name
  const subject = { kind: 'file', name: file } as const
  let owned: FileHandle | undefined
  try {
    // O_NONBLOCK: a FIFO under this name must not hang us.
    if (typeof source === 'string') owned = await open(source, constants.O_RDONLY | constants.O_NONBLOCK)
    const handle = typeof source === 'string' ? owned! : source
    const stats = await handle.stat()
    if (!stats.isFile()) {
      throw new CarryallError('INPUT_REFUSED', `Cannot read ${file}: it is not a regular file`, { subject })
    }
    if (expected !== undefined && stats.size !== expected) {
      throw new CarryallError(
        'SIZE_MISMATCH',
        `Cannot read ${file}: it has ${stats.size} bytes, not ${expected}`,
        {
          hint: 'Carry this file again',
          subject,
          expected,
          actual: stats.size,
        },
      )
    }
    return {
      handle,
      size: stats.size,
      file,
      chunks: (size, signal) =>
        named(readChunks(handle, 0, size, signal === undefined ? {} : { signal }), file),
      close: async () => owned?.close(),
    }
  } catch (error) {
    await owned?.close()
    throw fromSystemError(error, `read ${file}`, { subject })
  }
}

async function* named(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* chunks
  } catch (error) {
    throw fromSystemError(error, `read ${file}`, { subject: { kind: 'file', name: file } })
  }
}
