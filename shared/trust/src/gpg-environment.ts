import { stat } from 'node:fs/promises'
import { checkSecretFile } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'

/** What gpg, its agent and pinentry need to find keys and to ask for a passphrase. */
const PASSED_ON = [
  'HOME',
  'GNUPGHOME',
  'GPG_TTY',
  'TERM',
  'USER',
  'LOGNAME',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'PINENTRY_USER_DATA',
] as const

/** How gpg gets at a secret key. */
export interface GpgOptions {
  /** The caller's environment; what gpg, its agent and pinentry need of it is passed on. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of gpg, instead of GNUPGHOME or ~/.gnupg. */
  readonly home?: string
  /** A file with mode 0600 that holds the passphrase of the OpenPGP key; without it the agent asks. */
  readonly passphraseFile?: string
  readonly signal?: AbortSignal
}

/** The part of the caller's environment that gpg gets. */
export function gpgEnvironment({ env, home }: GpgOptions): Record<string, string> {
  const kept = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
  return { ...Object.fromEntries(kept), ...(home === undefined ? {} : { GNUPGHOME: home }) }
}

/**
 * The flags with which gpg takes the passphrase from its file. Throws FILE_MODE_UNSAFE where others may read that,
 * INPUT_NOT_FOUND where it, or the home, is not there: gpg would make the home.
 */
export async function gpgSecretFlags({ home, passphraseFile }: GpgOptions): Promise<readonly string[]> {
  if (home !== undefined) await checkHome(home)
  if (passphraseFile === undefined) return []
  await checkSecretFile(passphraseFile)
  return ['--pinentry-mode', 'loopback', '--passphrase-file', passphraseFile]
}

/** Throws INPUT_NOT_FOUND where the directory of gpg's keys is not there: gpg would make it. */
export async function checkHome(home: string): Promise<void> {
  const subject = { kind: 'file', name: home } as const
  try {
    if ((await stat(home)).isDirectory()) return
  } catch (error) {
    throw fromSystemError(error, `open the GnuPG home ${home}`, { subject })
  }
  throw new CarryallError('INPUT_NOT_FOUND', `The GnuPG home ${home} is no directory`, { subject })
}
