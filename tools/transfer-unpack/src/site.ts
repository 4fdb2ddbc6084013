import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import type { CarryallError } from '@carryall/errors'
import { decryptor, checkSignatures, readTrust, takesChain, thresholdFor } from '@carryall/trust'
import type { SitePolicy } from '@carryall/site'
import type { UnpackFlags } from './command.ts'
import type { Scan } from './scan.ts'

/** The far side: where things go, whom it believes, what its operator lets pass. */
export interface Site {
  readonly root: string
  readonly stateDir: string
  /** For receipts. */
  readonly name: string
  readonly scan: Scan | undefined
  readonly acceptStateReset: boolean
  policy(chainId: string): SitePolicy
  checkSignatures(
    sums: Buffer,
    signatures: readonly { readonly name: string; readonly bytes: Buffer }[],
    chainId?: string,
  ): Promise<{ readonly signers: readonly string[]; readonly faults: readonly CarryallError[] }>
  decrypt(format: 'openpgp' | 'age', chunks: AsyncIterable<Uint8Array>): AsyncIterable<Buffer>
}

/** The site as flags, trust file and environment describe it. Throws CONFIG_INVALID, FILE_MODE_UNSAFE. */
export async function openSite(context: Context, flags: UnpackFlags): Promise<Site> {
  const trust = await readTrust({
    ...(flags.trust === undefined ? {} : { path: resolve(context.cwd, flags.trust) }),
    etc: context.etc,
    now: context.clock(),
  })
  const known = flags.site ?? trust?.site
  return {
    root: resolve(context.cwd, flags.content),
    stateDir: context.stateDir,
    name: known ?? hostname(),
    scan: flags.scan === undefined ? undefined : { program: flags.scan, args: flags['scan-arg'] },
    acceptStateReset: flags['accept-state-reset'],
    policy: (chainId) => ({
      takesChain: (id) => trust === undefined || takesChain(trust, id),
      threshold: trust === undefined ? undefined : thresholdFor(trust, chainId),
      ...(known === undefined ? {} : { site: known }),
      now: context.clock(),
      allowExpired: flags['allow-expired'],
      acceptStateReset: flags['accept-state-reset'],
    }),
    checkSignatures: async (data, signatures, chain) =>
      trust === undefined
        ? { signers: [], faults: [] }
        : checkSignatures(trust, {
            data,
            signatures,
            ...(chain === undefined ? {} : { chain }),
            signal: context.signal,
          }),
    decrypt: decryptor({
      env: context.env,
      identities: flags.identity.map((file) => resolve(context.cwd, file)),
      ...(flags['gpg-home'] === undefined ? {} : { home: resolve(context.cwd, flags['gpg-home']) }),
      signal: context.signal,
    }),
  }
}
