import type { FileHandle } from 'node:fs/promises'
import { fromSystemError } from '@carryall/errors'
import type { Dialect } from './decode-header.ts'
import { malformed } from './malformed.ts'
import { openForReading } from './open-for-reading.ts'
import { type ArchiveEntry, parseArchive } from './parse-archive.ts'

export interface ReadOptions {
  /** The size that the file must have, in bytes. */
  readonly size?: number | undefined
  /** What a handle is called in messages. */
  readonly name?: string | undefined
  /** What is read besides what our own writers make; nothing if absent. */
  readonly dialect?: Dialect | undefined
  readonly signal?: AbortSignal | undefined
}

const WINDOW = 64 * 1024

/**
 * The entries of an archive in their order, read strictly but without their data: headers, padding and the end are checked,
 * data is passed over. So an archive of any size is indexed at once. Nothing that was yielded is to be trusted until the
 * iteration has ended. Throws ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED, PATH_UNSAFE (each with `location.offset`), SIZE_MISMATCH, INPUT_NOT_FOUND, IO_FAILED.
 */
export async function* readEntries(
  source: string | FileHandle,
  options: ReadOptions = {},
): AsyncGenerator<ArchiveEntry, void, void> {
  const archive = await openForReading(source, options.size, options.name)
  try {
    const read = windowed(archive.handle, archive.file)
    const parser = parseArchive(archive.size, archive.file, options.dialect)
    let position = 0
    let step = parser.next()
    while (step.done !== true) {
      options.signal?.throwIfAborted()
      const request = step.value
      if (request.want === 'data') yield request.entry
      const bytes = request.want === 'data' ? Buffer.alloc(0) : await read(position, request.length)
      position += request.length
      step = parser.next(bytes)
    }
  } catch (error) {
    throw fromSystemError(error, `read ${archive.file}`, { subject: { kind: 'file', name: archive.file } })
  } finally {
    await archive.close()
  }
}

/** Reads ahead, so that an archive of many small files does not cost a system call for each header. */
function windowed(handle: FileHandle, file: string): (position: number, length: number) => Promise<Buffer> {
  const window = Buffer.allocUnsafeSlow(WINDOW)
  let start = 0
  let end = 0
  return async (position, length) => {
    if (position < start || position + length > end) {
      start = position
      end = position
      while (end < position + length) {
        const { bytesRead } = await handle.read(window, end - start, WINDOW - (end - start), end)
        if (bytesRead === 0) throw malformed('the archive was cut while it was read', file, end)
        end += bytesRead
      }
    }
    return window.subarray(position - start, position - start + length)
  }
}
