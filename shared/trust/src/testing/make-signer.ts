import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@carryall/exec'

export interface SignerOptions {
  /** When the key is made and used, as gpg's `--faked-system-time` takes it: 20200131T000000. */
  readonly at?: string
  /** As `--quick-gen-key` takes it, e.g. `1y`; `never` if absent. */
  readonly expires?: string
  /** E.g. `rsa2048`; ed25519 if absent. */
  readonly algorithm?: string
  readonly passphrase?: string
}

/** A throw-away key in a home of its own. Give it back with `await using`: that ends its agent and removes it. */
export interface TestSigner {
  readonly fingerprint: string
  /** Armored, as exported when it was made. */
  readonly publicKey: Buffer
  /** What `--gpg-home` takes. */
  readonly home: string
  /** An environment in which gpg finds the key. */
  readonly env: Readonly<Record<string, string>>
  /** Detached signature, armored. */
  sign(data: Buffer | string): Promise<Buffer>
  /** Puts the revocation certificate of the key into its home; `gpg(['--export'])` has it from then on. */
  revoke(): Promise<void>
  /** Makes the agent forget the passphrase. */
  killAgent(): Promise<void>
  /** Runs gpg in this home, stdout back. */
  gpg(args: readonly string[], stdin?: Buffer | string): Promise<Buffer>
  [Symbol.asyncDispose](): Promise<void>
}

/** Makes a key that can sign, certify and be encrypted to. */
export async function makeSigner(
  name = 'test@carryall.example',
  { at, expires = 'never', algorithm = 'ed25519', passphrase = '' }: SignerOptions = {},
): Promise<TestSigner> {
  // Short: the agent's socket lies in it, and its path may have 107 bytes.
  const home = `/tmp/gpg-${randomBytes(6).toString('hex')}`
  await mkdir(home, { mode: 0o700 })
  // Guessing this passphrase need not take long.
  await writeFile(join(home, 'gpg-agent.conf'), 's2k-count 65536\n')
  const env = { HOME: home, GNUPGHOME: home }
  const time = at === undefined ? [] : ['--faked-system-time', at]
  const secret = ['--pinentry-mode', 'loopback', '--passphrase', passphrase]
  const gpg = async (args: readonly string[], stdin?: Buffer | string): Promise<Buffer> => {
    const given = stdin === undefined ? {} : { stdin }
    const { stdout } = await run('gpg', ['--batch', '--quiet', '--yes', ...time, ...secret, ...args], {
      env,
      package: 'gnupg',
      ...given,
    })
    return stdout
  }
  const killAgent = async (): Promise<void> => {
    await run('gpgconf', ['--homedir', home, '--kill', 'all'], { env, package: 'gpgconf' })
  }
  const dispose = async (): Promise<void> => {
    await killAgent()
    // The agent removes its sockets while it ends.
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }
  try {
    await gpg(['--quick-gen-key', name, algorithm, 'sign', expires])
    const listing = (await gpg(['--with-colons', '--list-keys'])).toString()
    const fingerprint = /^fpr:{9}([0-9A-F]+):/m.exec(listing)![1]!
    const encryption = algorithm === 'ed25519' ? 'cv25519' : algorithm
    await gpg(['--quick-add-key', fingerprint, encryption, 'encrypt', expires])
    return {
      fingerprint,
      publicKey: await gpg(['--armor', '--export', fingerprint]),
      home,
      env,
      gpg,
      killAgent,
      sign: (data) => gpg(['--armor', '--detach-sign', '--local-user', fingerprint], data),
      revoke: async () => {
        const certificate = await readFile(join(home, 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8')
        // The colon keeps it from being imported by accident.
        await gpg(['--import'], certificate.replace(/^:-----/m, '-----'))
      },
      [Symbol.asyncDispose]: dispose,
    }
  } catch (error) {
    await dispose()
    throw error
  }
}
