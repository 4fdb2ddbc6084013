import { CarryallError, escapeControls } from '@carryall/errors'
import { run, type RunResult } from '@carryall/exec'
import { gpgEnvironment, gpgSecretFlags, type GpgOptions } from './gpg-environment.ts'
import { verifyDetached } from './verify-detached.ts'

/** Somebody may have to find a card and type its PIN. */
const ASKING_MS = 10 * 60_000
/** libgpg-error. */
const BAD_PASSPHRASE = 11
const NO_SECRET_KEY = [9, 17]
const UNUSABLE_KEY = 54

/** Who signs, and how gpg gets at the secret key. */
export interface SigningOptions extends GpgOptions {
  /** As `gpg --local-user` takes it: fingerprint, key id, mail address. */
  readonly key: string
}

/** A secret key that gpg has. */
export interface Signer {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string
  /**
   * Detached signature over `data` with SHA-512, armored: the content of an `.asc` file. It has been checked. Throws EXEC_FAILED
   * with what to do: wrong passphrase, locked agent, expired key.
   */
  sign(data: Buffer): Promise<Buffer>
  /** True if `signature` (armored or binary) is this key's good signature over `data`. */
  hasSigned(data: Buffer, signature: Buffer): Promise<boolean>
}

/**
 * Finds the secret key; nothing is signed yet. gpg runs in batch mode and may ask its agent, a card, pinentry.
 *
 * Throws SIG_UNKNOWN_KEY where gpg has no such secret key, USAGE_BAD_VALUE where it has several, FILE_MODE_UNSAFE for a
 * passphrase file that others may read, INPUT_NOT_FOUND, EXEC_NOT_FOUND, EXEC_FAILED.
 */
export async function openSigner(options: SigningOptions): Promise<Signer> {
  const { key, signal } = options
  const secret = await gpgSecretFlags(options)
  const gpg = (args: readonly string[], stdin?: Buffer): Promise<RunResult> =>
    run('gpg', ['--batch', ...args], {
      env: gpgEnvironment(options),
      okExits: [0, 1, 2],
      timeoutMs: ASKING_MS,
      package: 'gnupg',
      ...(stdin === undefined ? {} : { stdin }),
      ...(signal === undefined ? {} : { signal }),
    })
  const listing = await gpg(['--with-colons', '--list-secret-keys', '--', key])
  const fingerprint = onlyKey(key, listing.stdout.toString())
  const { stdout: publicKey } = await gpg(['--export', '--', fingerprint])

  const hasSigned = async (data: Buffer, signature: Buffer): Promise<boolean> => {
    const [found] = await verifyDetached([publicKey], data, [signature], signal)
    return found?.signature === 'good' && found.primary === fingerprint
  }
  const sign = async (data: Buffer): Promise<Buffer> => {
    const made = await gpg(
      [
        ...secret,
        ...[
          '--status-fd',
          '2',
          '--local-user',
          key,
          '--digest-algo',
          'SHA512',
          '--no-textmode',
          '--no-comments',
          '--armor',
        ],
        ...['--output', '-', '--detach-sign'],
      ],
      data,
    )
    if (made.exitCode !== 0 || !/^\[GNUPG:\] SIG_CREATED D /m.test(made.stderr))
      throw notSigned(key, made.stderr)
    if (await hasSigned(data, made.stdout)) return made.stdout
    throw new CarryallError('EXEC_FAILED', `The signature that gpg made with ${key} is not good`, {
      subject: { kind: 'program', name: 'gpg' },
      hint: 'Look at the key with gpg --list-keys, and at gpg.conf; a key of the present clock is needed',
    })
  }
  return { fingerprint, sign, hasSigned }
}

/** The fingerprint of the only key in a listing (GnuPG: doc/DETAILS). */
function onlyKey(key: string, listing: string): string {
  const lines = listing.split('\n').map((line) => line.split(':'))
  const found = lines.flatMap(([type], index) => (type === 'sec' ? [lines[index + 1]?.[9] ?? ''] : []))
  const [fingerprint] = found
  if (found.length === 1 && fingerprint !== undefined) return fingerprint
  if (found.length === 0) throw unknownKey(key)
  throw new CarryallError('USAGE_BAD_VALUE', `gpg has ${found.length} secret keys for "${key}"`, {
    hint: `Name one by its fingerprint: ${found.join(', ')}`,
  })
}

function unknownKey(key: string): CarryallError {
  return new CarryallError('SIG_UNKNOWN_KEY', `gpg has no secret key "${key}"`, {
    hint: 'gpg --list-secret-keys shows those that it has; name another place with --gpg-home',
  })
}

function notSigned(key: string, stderr: string): CarryallError {
  const lines = escapeControls(stderr).trim().split('\n')
  const failure = Number(/^\[GNUPG:\] FAILURE sign (\d+)$/m.exec(stderr)?.[1] ?? 0) & 0xffff
  if (NO_SECRET_KEY.includes(failure)) return unknownKey(key)
  const said = lines.filter((line) => !line.startsWith('[GNUPG:]')).at(-1) ?? ''
  return new CarryallError('EXEC_FAILED', `Cannot sign with ${key}: ${said}`, {
    subject: { kind: 'program', name: 'gpg' },
    hint: hintFor(failure),
  })
}

function hintFor(failure: number): string {
  if (failure === BAD_PASSPHRASE) return 'Put the right passphrase into the file that --passphrase-file names'
  if (failure === UNUSABLE_KEY) return 'The key is expired or revoked; name another one'
  return 'Unlock the key: run "export GPG_TTY=$(tty)" so that the agent can ask, insert its card, or give --passphrase-file'
}
