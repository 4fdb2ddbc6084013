import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

/** sha256 (hex) and size of a file, read once. Throws INPUT_NOT_FOUND, IO_FAILED, PERMISSION_DENIED. */
export async function hashFile(
  path: string,
  options: { readonly signal?: AbortSignal; readonly onBytes?: (count: number) => void } = {},
): Promise<{ sha256: string; size: number }> {
  try {
    await using handle = await open(path, 'r')
    const { size } = await handle.stat()
    const hash = createHash('sha256')
    for await (const chunk of readChunks(handle, 0, size, options.signal ? { signal: options.signal } : {})) {
      hash.update(chunk)
      options.onBytes?.(chunk.length)
    }
    return { sha256: hash.digest('hex'), size }
  } catch (error) {
    throw fromSystemError(error, `read ${path}`)
  }
}
