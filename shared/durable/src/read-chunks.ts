import type { FileHandle } from 'node:fs/promises'
import { CarryallError } from '@carryall/errors'
import { bufferPool, CHUNK_BYTES } from './buffer-pool.ts'

/**
 * Reads exactly `size` bytes from `offset` in chunks of 1 MiB, the last one shorter. While the consumer works on a chunk
 * the next one is read. A chunk is valid only until the next one is asked for: its buffer is used again.
 *
 * Throws SIZE_MISMATCH if the file ends early (`actual` is the number of bytes there), the signal's reason, and the
 * system's errors: the caller knows the name of the file.
 */
export async function* readChunks(
  handle: FileHandle,
  offset: number,
  size: number,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Buffer, void, undefined> {
  if (size <= 0) return
  const buffers = [await bufferPool.take()]
  let ahead: Promise<Buffer> | undefined
  try {
    // Never waited for: a reader that holds one buffer goes on with one.
    const second = size > CHUNK_BYTES ? bufferPool.takeFree() : undefined
    if (second !== undefined) buffers.push(second)
    const read = (start: number) => {
      const buffer = buffers[(start / CHUNK_BYTES) % buffers.length]!
      return fill(handle, buffer.subarray(0, Math.min(CHUNK_BYTES, size - start)), offset, start, size)
    }
    for (let start = 0; start < size; start += CHUNK_BYTES) {
      options.signal?.throwIfAborted()
      const chunk = await (ahead ?? read(start))
      ahead = undefined
      if (second !== undefined && start + CHUNK_BYTES < size) {
        ahead = read(start + CHUNK_BYTES)
        // It is awaited in the next turn; until then a failure is not an unhandled one.
        ahead.catch(() => undefined)
      }
      yield chunk
    }
  } finally {
    // A read that is under way still writes into its buffer.
    await ahead?.catch(() => undefined)
    for (const buffer of buffers) bufferPool.give(buffer)
  }
}

async function fill(
  handle: FileHandle,
  chunk: Buffer,
  offset: number,
  start: number,
  size: number,
): Promise<Buffer> {
  for (let done = 0; done < chunk.length;) {
    const { bytesRead } = await handle.read(chunk, done, chunk.length - done, offset + start + done)
    if (bytesRead === 0) {
      throw new CarryallError(
        'SIZE_MISMATCH',
        `File ended after ${offset + start + done} bytes, ${offset + size} were expected`,
        {
          expected: offset + size,
          actual: offset + start + done,
        },
      )
    }
    done += bytesRead
  }
  return chunk
}
