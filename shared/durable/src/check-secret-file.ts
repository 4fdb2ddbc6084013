import type { Stats } from 'node:fs'
import { geteuid } from 'node:process'
import { stat } from 'node:fs/promises'
import { CarryallError, fromSystemError } from '@carryall/errors'

/**
 * Refuses a file with secrets that others may have read or written, FILE_MODE_UNSAFE. The rule is that of ssh for private
 * keys: our own file must be closed to group and others. One that belongs to someone else is that owner's to protect, as is
 * root's 0640 file for a group of operators or a mounted secret; but it must be root's, unless we are root, and nobody but
 * its owner may write to it.
 */
export function checkSecretMode(
  path: string,
  status: Pick<Stats, 'mode' | 'uid'>,
  euid = geteuid?.() ?? 0,
): void {
  const mode = status.mode & 0o777
  const shown = mode.toString(8).padStart(4, '0')
  const foreign = status.uid !== euid && status.uid !== 0 && euid !== 0
  const open = (mode & 0o022) !== 0 || (status.uid === euid && (mode & 0o077) !== 0)
  if (!foreign && !open) return
  const why = foreign ? `it belongs to user ${status.uid}` : `its mode is ${shown}`
  throw new CarryallError('FILE_MODE_UNSAFE', `Refused the secrets in ${path}: ${why}`, {
    subject: { kind: 'file', name: path },
    actual: foreign ? status.uid : shown,
    expected: foreign ? euid : '0600',
    hint: foreign
      ? `Make a copy of your own with mode 0600`
      : `Run "chmod 600 ${path}"; if others could read it, change the secret, too`,
  })
}

/** `checkSecretMode` for a file that a program reads on its own. Throws INPUT_NOT_FOUND, PERMISSION_DENIED, too. */
export async function checkSecretFile(path: string): Promise<void> {
  try {
    checkSecretMode(path, await stat(path))
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  }
}
