import { resolve } from 'node:path'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { TrustPolicy } from '@carryall/schemas'
import { readGuarded } from './guarded-file.ts'
import { readPublicKey } from './public-key.ts'
import type { TrustedKey } from './trust.ts'
import type { Verdict } from './verdict.ts'
import { verifyDetached } from './verify-detached.ts'

const MAX_KEY = 1024 * 1024
/** How far apart the clocks of two sites may be. */
const CLOCK_SKEW_MS = 24 * 60 * 60 * 1000

type PolicyKey = TrustPolicy['keys'][number]

interface Place {
  readonly file: string
  readonly directory: string
  readonly now: Date
}

/** Reads and proves the keys of a trust file, in its order. Throws as `readTrust`. */
export async function pinKeys(policy: TrustPolicy, place: Place): Promise<ReadonlyMap<string, TrustedKey>> {
  const keys = new Map<string, TrustedKey>()
  for (const entry of policy.keys) {
    const fail = (why: string, hint: string): never => {
      const pointer = `#/keys/${policy.keys.indexOf(entry)}`
      throw new CarryallError('CONFIG_INVALID', `Key ${entry.fingerprint} in ${place.file}: ${why}`, {
        pointer,
        location: { file: place.file },
        hint,
      })
    }
    const path = resolve(place.directory, entry.file)
    const bytes = await readNamed(path, fail)
    keys.set(entry.fingerprint, pin(entry, path, bytes, fail))
    if (entry.endorsed_by !== undefined) {
      const signature = await readNamed(resolve(place.directory, entry.endorsed_by.signature), fail)
      const endorser = keys.get(entry.endorsed_by.fingerprint)!
      const [found] = await verifyDetached([endorser.keyring], bytes, [signature])
      const why = refusal(found!, endorser, policy.revoked ?? [], place.now)
      if (why !== undefined) {
        fail(
          `the endorsement by ${endorser.fingerprint} does not count: ${why}`,
          'Make sure of the key by another way, then remove its "endorsed_by"',
        )
      }
    }
  }
  return keys
}

type Fail = (why: string, hint: string) => never

async function readNamed(path: string, fail: Fail): Promise<Buffer> {
  try {
    return await readGuarded(path, MAX_KEY)
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND', 'INPUT_TOO_LARGE'))
      return fail(error.message, 'Name the right file; the path is relative to the trust file')
    throw error
  }
}

function pin(entry: PolicyKey, path: string, bytes: Buffer, fail: Fail): TrustedKey {
  const hint = `Write it anew: gpg --export ${entry.fingerprint} > ${path}`
  try {
    const key = readPublicKey(bytes)
    if (key.fingerprint !== entry.fingerprint) fail(`${path} holds key ${key.fingerprint}`, hint)
    const { fingerprint, not_after } = entry
    return {
      fingerprint,
      keyring: key.bytes,
      ...(not_after === undefined ? {} : { notAfter: new Date(not_after) }),
    }
  } catch (error) {
    if (isCarryallError(error, 'INPUT_SYNTAX')) fail(`${path}: ${error.message}`, hint)
    throw error
  }
}

/** Why an endorsement does not count. That the old key has expired since is what rotation is for. */
function refusal(
  found: Verdict,
  endorser: TrustedKey,
  revoked: readonly string[],
  now: Date,
): string | undefined {
  if (found.signature === 'invalid') return found.why
  if (found.signature === 'unknown-key') return `it was made by key ${found.keyId}`
  const { made } = found
  if (found.signature === 'key-revoked' || [found.primary, found.signer].some((key) => revoked.includes(key)))
    return 'that key is revoked'
  if (found.signature === 'expired') return 'the signature has expired'
  const last = [found.keyExpired, endorser.notAfter].find((time) => time !== undefined && made > time)
  if (last !== undefined)
    return `it was made at ${made.toISOString()}, that key counts until ${last.toISOString()}`
  if (made.getTime() > now.getTime() + CLOCK_SKEW_MS)
    return `it was made in the future, at ${made.toISOString()}`
  return undefined
}
