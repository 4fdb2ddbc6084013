import { CarryallError, type ErrorCode } from '@carryall/errors'
import { keysFor, type Purpose, type Trust } from './trust.ts'
import type { Verdict } from './verdict.ts'
import { verifyDetached } from './verify-detached.ts'

/** A detached signature as its file has it. */
export interface SignatureFile {
  readonly name: string
  /** Armored or binary. */
  readonly bytes: Buffer
}

export interface SignedData extends Purpose {
  readonly data: Buffer
  readonly signatures: readonly SignatureFile[]
  readonly signal?: AbortSignal
}

export interface CheckedSignatures {
  /** Fingerprints of different primary keys, sorted. */
  readonly signers: readonly string[]
  /** One for each signature that does not count. */
  readonly faults: readonly CarryallError[]
}

/**
 * Which of the keys that count for this chain, or this site's receipts, signed `data`. It is gpgv that checks, with the
 * pinned keys alone; its status decides, never its exit alone (specification: reliability 1.4, T23).
 *
 * Faults: SIG_INVALID (other bytes, malformed, several signatures, a weak hash), SIG_UNKNOWN_KEY (not pinned, or not for
 * this), SIG_KEY_REVOKED, SIG_KEY_EXPIRED (the key, the signature, or `not_after`). Throws EXEC_NOT_FOUND, EXEC_FAILED,
 * EXEC_TIMEOUT, IO_NO_SPACE and the signal's reason.
 */
export async function checkSignatures(trust: Trust, signed: SignedData): Promise<CheckedSignatures> {
  const { data, signatures, signal } = signed
  if (signatures.length === 0) return { signers: [], faults: [] }
  const counting = new Set(keysFor(trust, signed).map(({ fingerprint }) => fingerprint))
  const keyrings = [...trust.keys.values()].map(({ keyring }) => keyring)
  const verdicts = await verifyDetached(
    keyrings,
    data,
    signatures.map(({ bytes }) => bytes),
    signal,
  )
  const signers = new Set<string>()
  const faults: CarryallError[] = []
  verdicts.forEach((found, index) => {
    const fault = judge(found, trust, counting)
    if (fault === undefined && 'primary' in found) signers.add(found.primary)
    else if (fault !== undefined) faults.push(refusal(signatures[index]!.name, fault))
  })
  return { signers: [...signers].sort(), faults }
}

type Fault = readonly [code: ErrorCode, why: string, hint: string]

function judge(found: Verdict, trust: Trust, counting: ReadonlySet<string>): Fault | undefined {
  const pin = `Trust that key in ${trust.file} if it is the right one, or have it signed by one that is`
  if (found.signature === 'invalid')
    return ['SIG_INVALID', found.why, 'Carry it again from its origin; it may have been changed']
  if (found.signature === 'unknown-key')
    return ['SIG_UNKNOWN_KEY', `key ${found.keyId} is not trusted here`, pin]
  const { primary, signer, made } = found
  const [revoked, again] = [trust.policy.revoked ?? [], 'Have it signed again by a key that is valid']
  if (found.signature === 'key-revoked' || revoked.includes(primary) || revoked.includes(signer))
    return ['SIG_KEY_REVOKED', `key ${primary} is revoked`, again]
  if (!counting.has(primary)) return ['SIG_UNKNOWN_KEY', `key ${primary} does not count for this`, pin]
  if (found.signature === 'key-expired') return ['SIG_KEY_EXPIRED', `key ${primary} has expired`, again]
  if (found.signature === 'expired')
    return ['SIG_KEY_EXPIRED', `the signature of key ${primary} has expired`, again]
  const { notAfter } = trust.keys.get(primary)!
  if (notAfter !== undefined && made > notAfter) {
    const why = `key ${primary} counts until ${notAfter.toISOString()}, and this was made at ${made.toISOString()}`
    return ['SIG_KEY_EXPIRED', why, again]
  }
  return undefined
}

function refusal(name: string, [code, why, hint]: Fault): CarryallError {
  return new CarryallError(code, `Refused the signature ${name}: ${why}`, {
    subject: { kind: 'file', name },
    hint,
  })
}
