import type { FileHandle } from 'node:fs/promises'

/**
 * Writes every byte of `buffer` at `position`, however many the kernel takes at a time. Errors are the system's:
 * the caller knows the name of the file.
 */
export async function writeAll(handle: FileHandle, buffer: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < buffer.length;) {
    const { bytesWritten } = await handle.write(buffer, done, buffer.length - done, position + done)
    done += bytesWritten
  }
}
