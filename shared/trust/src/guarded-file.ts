import type { Stats } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { geteuid } from 'node:process'
import { CarryallError, fromSystemError } from '@carryall/errors'

/**
 * Reads a file that others must not be able to change: it and the directory that it really is in belong to root or to us,
 * and neither group nor others may write there. Throws FILE_MODE_UNSAFE, INPUT_TOO_LARGE (more than `limit` bytes),
 * INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function readGuarded(path: string, limit: number): Promise<Buffer> {
  try {
    await using handle = await open(path)
    const status = await handle.stat()
    const directory = dirname(await realpath(path))
    refuseForeign(path, status)
    refuseForeign(directory, await stat(directory))
    if (!status.isFile() || status.size > limit)
      throw new CarryallError('INPUT_TOO_LARGE', `${path} is no file of at most ${limit} bytes`)
    return await handle.readFile()
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  }
}

function refuseForeign(path: string, status: Pick<Stats, 'uid' | 'mode'>): void {
  const euid = geteuid?.() ?? 0
  const foreign = status.uid !== 0 && status.uid !== euid
  if (!foreign && (status.mode & 0o022) === 0) return
  const mode = (status.mode & 0o7777).toString(8).padStart(4, '0')
  const why = foreign ? `it belongs to user ${status.uid}` : `its mode is ${mode}`
  throw new CarryallError('FILE_MODE_UNSAFE', `Refused ${path}: ${why}`, {
    subject: { kind: 'file', name: path },
    actual: foreign ? status.uid : mode,
    hint: foreign
      ? `Make sure that its content is right, then run "chown ${euid} ${path}"`
      : `Make sure that its content is right, then run "chmod go-w ${path}"`,
  })
}
