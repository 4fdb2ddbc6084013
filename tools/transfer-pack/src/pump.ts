import type { FileHandle } from 'node:fs/promises'
import { writeAll } from '@carryall/durable'

/**
 * Writes chunks from the start of a file. `eat` has each while it is being written: that is when hashing costs no time. Gives back
 * how many bytes there were. Errors of writing are the system's.
 */
export async function pump(
  chunks: AsyncIterable<Buffer>,
  handle: FileHandle,
  eat: (chunk: Buffer, end: number) => void = () => undefined,
): Promise<number> {
  let position = 0
  for await (const chunk of chunks) {
    const writing = writeAll(handle, chunk, position)
    // It is awaited below; until then a failure is not an unhandled one.
    writing.catch(() => undefined)
    position += chunk.length
    eat(chunk, position)
    await writing
  }
  return position
}
