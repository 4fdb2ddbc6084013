import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import type { EncryptionFormat } from './encryption.ts'
import { readPublicKey } from './public-key.ts'

const MAX_FILE = 1024 * 1024
const FINGERPRINT = /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/i

/** Who can read what is encrypted, as the program of the format takes it. */
export interface Recipient {
  readonly format: EncryptionFormat
  readonly args: readonly string[]
}

/**
 * Tells what a recipient is: `age1…`, a fingerprint in gpg's keyring, or a file with one OpenPGP public key, or with
 * recipients of age. Throws INPUT_NOT_FOUND, INPUT_TOO_LARGE, USAGE_BAD_VALUE where the file holds another kind of key.
 */
export async function readRecipient(recipient: string): Promise<Recipient> {
  if (/^age1[0-9a-z]+$/.test(recipient)) return { format: 'age', args: ['--recipient', recipient] }
  const fingerprint = recipient.replace(/^0x/i, '').replaceAll(' ', '')
  if (FINGERPRINT.test(fingerprint)) return { format: 'openpgp', args: ['--recipient', fingerprint] }
  const file = resolve(recipient)
  const bytes = await readSome(file)
  const isOpenPgp =
    (bytes[0] ?? 0) >= 0x80 || bytes.toString('latin1').trimStart().startsWith('-----BEGIN PGP')
  if (!isOpenPgp) return { format: 'age', args: ['--recipients-file', file] }
  try {
    readPublicKey(bytes)
  } catch (error) {
    if (!isCarryallError(error, 'INPUT_SYNTAX')) throw error
    throw new CarryallError('USAGE_BAD_VALUE', `Cannot encrypt to ${recipient}: ${error.message}`, {
      subject: { kind: 'file', name: recipient },
      hint: `Write it anew: gpg --export FINGERPRINT > ${recipient}`,
    })
  }
  return { format: 'openpgp', args: ['--recipient-file', file] }
}

async function readSome(file: string): Promise<Buffer> {
  const subject = { kind: 'file', name: file } as const
  try {
    await using handle = await open(file)
    const { size } = await handle.stat()
    if (size > MAX_FILE)
      throw new CarryallError('INPUT_TOO_LARGE', `${file} has ${size} bytes; at most ${MAX_FILE} are read`, {
        subject,
      })
    return await handle.readFile()
  } catch (error) {
    const hint = 'A recipient is age1…, an OpenPGP fingerprint, or the file of a public key'
    throw fromSystemError(error, `read the recipient ${file}`, { subject, hint })
  }
}
