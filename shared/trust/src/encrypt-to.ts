import { CarryallError, isCarryallError } from '@carryall/errors'
import { filter } from '@carryall/exec'
import { ENCRYPTION, type EncryptionFormat } from './encryption.ts'
import { checkHome, gpgEnvironment, type GpgOptions } from './gpg-environment.ts'
import { readRecipient, type Recipient } from './recipient.ts'

export type EncryptOptions = Omit<GpgOptions, 'passphraseFile'>

export interface Encryptor {
  readonly format: EncryptionFormat
  /** Of the name of a file that it encrypts. */
  readonly suffix: '.gpg' | '.age'
  /** Streams in constant memory; the ciphertext counts only when the iteration has ended without an error. */
  encrypt(source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer>
  /** The most bytes by which the ciphertext of `size` bytes is longer. */
  overhead(size: number): number
}

/**
 * Encrypts to all of these recipients, each `age1…`, an OpenPGP fingerprint that gpg has, a file with one OpenPGP public key,
 * or a file with recipients of age. That each can be encrypted to is proven first, with nothing as the content.
 *
 * Throws USAGE_CONFLICT where they are not all of one format, USAGE_BAD_VALUE, INPUT_NOT_FOUND, INPUT_TOO_LARGE,
 * EXEC_NOT_FOUND, and EXEC_FAILED where a key is unknown, expired, revoked or none to encrypt to.
 */
export async function encryptTo(recipients: readonly string[], options: EncryptOptions): Promise<Encryptor> {
  if (options.home !== undefined) await checkHome(options.home)
  const found = await Promise.all(recipients.map(readRecipient))
  const format = onlyFormat(found)
  const { program, suffix, package: debian } = ENCRYPTION[format]
  const args = format === 'age' ? ageArgs(found) : gpgArgs(found)
  const encrypt = (source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> =>
    filter(program, args, source, {
      env: gpgEnvironment(options),
      package: debian,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  const fixed = (await sizeOfNothing(recipients, encrypt)) + SLACK * found.length
  return {
    format,
    suffix,
    encrypt,
    overhead: (size) => fixed + Math.ceil(size / PLAIN_BYTES[format]) * EXTRA_BYTES,
  }
}

/** Numbers in the header vary in length by a few bytes from one time to the next. */
const SLACK = 32
/**
 * So many bytes of content cost at most `EXTRA_BYTES` more. age: 16 for each chunk of 64 KiB. gpg writes two packets inside
 * each other in pieces of 8 KiB, each with a length of one byte; twice that is allowed for.
 */
const PLAIN_BYTES: Readonly<Record<EncryptionFormat, number>> = { age: 64 * 1024, openpgp: 32 * 1024 }
const EXTRA_BYTES = 16

function onlyFormat(recipients: readonly Recipient[]): EncryptionFormat {
  const [format, ...more] = new Set(recipients.map((recipient) => recipient.format))
  if (format !== undefined && more.length === 0) return format
  throw new CarryallError(
    'USAGE_CONFLICT',
    format === undefined
      ? 'Nobody is named to encrypt to'
      : 'Cannot encrypt to keys of OpenPGP and age at once',
    { hint: 'Name recipients of one format' },
  )
}

function ageArgs(recipients: readonly Recipient[]): readonly string[] {
  return ['--encrypt', ...recipients.flatMap(({ args }) => args)]
}

/** Nothing of the user's gpg.conf may add a recipient or take protection away; what is carried is compressed already. */
function gpgArgs(recipients: readonly Recipient[]): readonly string[] {
  const keyring = recipients.every(({ args }) => args[0] === '--recipient-file') ? ['--no-keyring'] : []
  return [
    ...['--batch', '--no-options', ...keyring, '--no-auto-key-locate', '--trust-model', 'always'],
    ...['--compress-algo', 'none', ...recipients.flatMap(({ args }) => args), '--output', '-', '--encrypt'],
  ]
}

async function sizeOfNothing(recipients: readonly string[], encrypt: Encryptor['encrypt']): Promise<number> {
  let size = 0
  try {
    for await (const { length } of encrypt(nothing())) size += length
    return size
  } catch (error) {
    if (!isCarryallError(error, 'EXEC_FAILED')) throw error
    throw new CarryallError('EXEC_FAILED', `Cannot encrypt to ${recipients.join(', ')}: ${error.message}`, {
      ...error.details,
      hint: 'Each recipient must be a valid key to encrypt to; gpg knows a fingerprint after gpg --import',
    })
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
