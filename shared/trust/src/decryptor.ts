import { checkSecretFile } from '@carryall/durable'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { filter } from '@carryall/exec'
import { ENCRYPTION, type EncryptionFormat } from './encryption.ts'
import { gpgEnvironment, gpgSecretFlags, type GpgOptions } from './gpg-environment.ts'

export interface DecryptOptions extends GpgOptions {
  /** Files with identities of age, closed to others. */
  readonly identities?: readonly string[]
}

/** Streams the content of what was encrypted in this format. */
export type Decrypt = (format: EncryptionFormat, source: AsyncIterable<Uint8Array>) => AsyncIterable<Buffer>

/**
 * Decrypts with the keys that gpg has, or these identities of age. What is given out counts only when the iteration has
 * ended without an error: write it into staging.
 *
 * The iteration throws DIGEST_MISMATCH where the ciphertext was modified or cut, or is none; EXEC_FAILED where no key fits or
 * the key is locked; FILE_MODE_UNSAFE where others may read an identity or the passphrase; USAGE_BAD_VALUE without an
 * identity for age; EXEC_NOT_FOUND; what the source throws; and the signal's reason.
 */
export function decryptor(options: DecryptOptions): Decrypt {
  return (format, source) =>
    format === 'age' ? decryptAge(options, source) : decryptOpenPgp(options, source)
}

async function* decryptOpenPgp(
  options: DecryptOptions,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const secret = await gpgSecretFlags(options)
  let status = ''
  const said = (keyword: string): boolean => new RegExp(`^\\[GNUPG:\\] ${keyword}\\b`, 'm').test(status)
  // gpg.conf may tell gpg to pass over a failed integrity check.
  const args = ['--batch', '--no-options', ...secret, '--status-fd', '3', '--output', '-', '--decrypt']
  try {
    yield* filter('gpg', args, source, {
      ...surroundings('openpgp', options),
      onReport: (report) => {
        status = report
      },
    })
  } catch (error) {
    if (!endedBy('gpg', error)) throw error
    if (said('DECRYPTION_INFO') || !said('ENC_TO')) throw modified(error)
    throw locked(
      error,
      'Import its secret key (gpg --import) or name its place with --gpg-home; export GPG_TTY=$(tty) lets the agent ask',
    )
  }
  // Of what is not encrypted, or cut in its first bytes, gpg makes no failure.
  if (!said('DECRYPTION_OKAY')) throw modified()
}

async function* decryptAge(
  options: DecryptOptions,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const { identities = [] } = options
  if (identities.length === 0) {
    throw new CarryallError('USAGE_BAD_VALUE', 'Cannot decrypt what age encrypted without an identity', {
      hint: 'Name the file of the identity with --identity',
    })
  }
  for (const identity of identities) await checkSecretFile(identity)
  const args = ['--decrypt', ...identities.flatMap((identity) => ['--identity', identity])]
  try {
    yield* filter('age', args, source, surroundings('age', options))
  } catch (error) {
    if (!endedBy('age', error)) throw error
    const said = error.details.cause instanceof Error ? error.details.cause.message : ''
    if (/payload chunk|last chunk|header MAC|unexpected EOF|failed to read header/.test(said))
      throw modified(error)
    throw locked(
      error,
      'Name the right identity with --identity; one with a passphrase has to be decrypted first',
    )
  }
}

function surroundings(format: EncryptionFormat, options: DecryptOptions) {
  const { signal } = options
  return {
    env: gpgEnvironment(options),
    package: ENCRYPTION[format].package,
    ...(signal === undefined ? {} : { signal }),
  }
}

/** True where the program itself said no; one that was killed says nothing about the data, nor does a failing source. */
function endedBy(program: string, error: unknown): error is CarryallError {
  return (
    isCarryallError(error, 'EXEC_FAILED') &&
    error.details.subject?.name === program &&
    typeof error.details.actual === 'number'
  )
}

function modified(cause?: CarryallError): CarryallError {
  return new CarryallError(
    'DIGEST_MISMATCH',
    'Refused what is not as it was encrypted: it was modified or cut',
    {
      hint: 'Carry it again',
      ...(cause === undefined ? {} : { cause }),
    },
  )
}

function locked(cause: CarryallError, hint: string): CarryallError {
  return new CarryallError('EXEC_FAILED', `Cannot decrypt: ${cause.message}`, { ...cause.details, hint })
}
