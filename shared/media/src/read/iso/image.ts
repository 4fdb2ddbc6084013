import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { fromSystemError, isCarryallError } from '@carryall/errors'
import { volumeInvalid } from '../volume-invalid.ts'
import { deviceSize } from './device-size.ts'

/** Bytes of a sector and of a logical block: all images of data discs have 2048. */
export const SECTOR = 2048

/** An ISO 9660 image that is read by position. */
export interface Image {
  /** Its path, for messages. */
  readonly place: string
  /** Bytes. */
  readonly size: number
  /** Exactly these bytes. Throws VOLUME_INVALID where the image ends before. */
  readonly read: (position: number, length: number) => Promise<Buffer>
  /** As `readChunks`. */
  readonly chunks: (position: number, length: number, signal?: AbortSignal) => AsyncIterable<Buffer>
  readonly close: () => Promise<void>
}

/** Opens a file or a block device. Throws INPUT_NOT_FOUND, VOLUME_INVALID for what is neither, PERMISSION_DENIED, IO_FAILED. */
export async function openImage(path: string): Promise<Image> {
  const subject = { kind: 'file', name: path } as const
  let handle: FileHandle | undefined
  try {
    // O_NONBLOCK: neither a FIFO nor an empty drive may hang us.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile() && !stats.isBlockDevice())
      throw volumeInvalid('it is neither a file nor a block device', path)
    return imageOf(handle, path, stats.isFile() ? stats.size : await deviceSize(handle))
  } catch (error) {
    await handle?.close()
    throw fromSystemError(error, `read ${path}`, { subject })
  }
}

function imageOf(handle: FileHandle, path: string, size: number): Image {
  return {
    place: path,
    size,
    read: async (position, length) => {
      const bytes = Buffer.allocUnsafe(length)
      let done = 0
      try {
        for await (const chunk of readChunks(handle, position, length)) done += chunk.copy(bytes, done)
      } catch (error) {
        if (isCarryallError(error, 'SIZE_MISMATCH')) throw cut(path, position + done)
        throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
      }
      return bytes
    },
    chunks: (position, length, signal) =>
      readChunks(handle, position, length, signal === undefined ? {} : { signal }),
    close: () => handle.close(),
  }
}

function cut(path: string, offset: number): Error {
  return volumeInvalid('the image was cut', path, { location: { file: path, offset } })
}
