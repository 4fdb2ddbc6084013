import { open } from 'node:fs/promises'
import { CarryallError, fromSystemError, registerSecret } from '@carryall/errors'
import { checkSecretMode } from './check-secret-file.ts'

const MAX_BYTES = 64 * 1024

/**
 * The first line of a file that holds one secret; `redact` masks it from then on. Throws FILE_MODE_UNSAFE by
 * `checkSecretMode`, INPUT_NOT_FOUND, INPUT_EMPTY, INPUT_TOO_LARGE (more than 64 KiB), PERMISSION_DENIED.
 */
export async function readSecretFile(path: string): Promise<string> {
  const subject = { kind: 'file', name: path } as const
  try {
    await using handle = await open(path)
    const status = await handle.stat()
    checkSecretMode(path, status)
    // A pipe, as a shell's <(…) makes it, has no size: what is read is what counts.
    const bytes = Buffer.alloc(MAX_BYTES + 1)
    let filled = 0
    for (;;) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled)
      if (bytesRead === 0) break
      filled += bytesRead
      if (filled > MAX_BYTES)
        throw new CarryallError('INPUT_TOO_LARGE', `${path} has more than ${MAX_BYTES} bytes`, { subject })
    }
    const secret = bytes.toString('utf8', 0, filled).split(/\r?\n/, 1)[0]!
    registerSecret(secret)
    if (secret === '')
      throw new CarryallError('INPUT_EMPTY', `The first line of ${path} is empty`, { subject })
    return secret
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, { subject })
  }
}
