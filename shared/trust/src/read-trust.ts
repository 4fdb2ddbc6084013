import { dirname, join, resolve } from 'node:path'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { parseKind, readDocuments, trustPolicyKind, type TrustPolicy } from '@carryall/schemas'
import { checkPolicy } from './check-policy.ts'
import { readGuarded } from './guarded-file.ts'
import { pinKeys } from './pin-keys.ts'
import type { Trust } from './trust.ts'

const MAX_POLICY = 1024 * 1024

export interface TrustOptions {
  /** A trust file that has to be there; without it the one in `etc`, which may be absent. */
  readonly path?: string
  /** Directory of the system's own files; /etc/carryall if absent. */
  readonly etc?: string
  readonly now: Date
}

/**
 * Reads the trust file of this site and the keys that it names; undefined where there is none. A fingerprint decides, never
 * a file: each key file has to hold that key alone. A rotated key counts with the signature of the key before it.
 *
 * Throws CONFIG_INVALID naming file and key, FILE_MODE_UNSAFE where others could change the trust file or a key,
 * INPUT_NOT_FOUND for `path`, EXEC_NOT_FOUND where a rotation needs gpgv (specification: 6.7, reliability T23).
 */
export async function readTrust(options: TrustOptions): Promise<Trust | undefined> {
  const file = resolve(options.path ?? join(options.etc ?? '/etc/carryall', 'trust.yaml'))
  const bytes = await readPolicy(file, options.path !== undefined)
  if (bytes === undefined) return undefined
  const policy = parsePolicy(bytes, file)
  checkPolicy(policy, file)
  const keys = await pinKeys(policy, { file, directory: dirname(file), now: options.now })
  return { file, policy, keys, ...(policy.site === undefined ? {} : { site: policy.site }) }
}

async function readPolicy(file: string, wanted: boolean): Promise<Buffer | undefined> {
  try {
    return await readGuarded(file, MAX_POLICY)
  } catch (error) {
    if (!wanted && isCarryallError(error, 'INPUT_NOT_FOUND')) return undefined
    throw error
  }
}

function parsePolicy(bytes: Buffer, file: string): TrustPolicy {
  try {
    const [document, ...more] = readDocuments(bytes, file)
    if (more.length > 0)
      throw new CarryallError('CONFIG_INVALID', `${file} holds ${more.length + 1} documents; one is wanted`)
    return parseKind(trustPolicyKind, document, file)
  } catch (error) {
    if (!isCarryallError(error)) throw error
    throw new CarryallError('CONFIG_INVALID', error.message, { location: { file }, ...error.details })
  }
}
