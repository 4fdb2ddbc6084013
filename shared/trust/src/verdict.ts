/** What gpgv says about one signature. */
export type Verdict =
  | {
      readonly signature: 'good' | 'expired' | 'key-expired' | 'key-revoked'
      /** Fingerprint of the key that signed: the primary one or a subkey. */
      readonly signer: string
      /** Fingerprint of its primary key. */
      readonly primary: string
      readonly made: Date
      /** When the key expired, where it has. */
      readonly keyExpired?: Date
    }
  | { readonly signature: 'unknown-key'; readonly keyId: string }
  | { readonly signature: 'invalid'; readonly why: string }

const PREFIX = '[GNUPG:] '
const OF_OUTCOME = {
  GOODSIG: 'good',
  EXPSIG: 'expired',
  EXPKEYSIG: 'key-expired',
  REVKEYSIG: 'key-revoked',
  BADSIG: 'bad',
  ERRSIG: 'error',
} as const
/** RFC 9580, 9.5: SHA-2 and SHA-3. MD5, SHA-1 and RIPEMD-160 are not believed. */
const STRONG_HASHES: ReadonlySet<string> = new Set(['8', '9', '10', '11', '12', '14'])
const NO_PUBLIC_KEY = '9'
const BINARY_DOCUMENT = '00'

/**
 * Judges what gpgv wrote to its status descriptor about a detached signature (GnuPG: doc/DETAILS). Only exactly one
 * signature counts, over the bytes as they are, with a strong hash. Pure.
 */
export function verdict(status: string, exitCode: number): Verdict {
  const lines = status.split('\n').filter((line) => line !== '')
  if (!lines.every((line) => line.startsWith(PREFIX))) return invalid('gpgv answered something else')
  const words = lines.map((line) => line.slice(PREFIX.length).split(' '))
  const found = (keyword: string) => words.filter(([first]) => first === keyword)
  const outcomes = words.filter(([first]) => first !== undefined && first in OF_OUTCOME)
  const [outcome] = outcomes
  if (outcome === undefined) return invalid('it is no detached signature')
  if (outcomes.length > 1 || found('NEWSIG').length !== 1) return invalid('it holds more than one signature')
  const kind = OF_OUTCOME[outcome[0] as keyof typeof OF_OUTCOME]
  if (kind === 'bad') return invalid('it was made over other bytes')
  if (kind === 'error') {
    const [, keyId = '', , , , , reason] = outcome
    return reason === NO_PUBLIC_KEY
      ? { signature: 'unknown-key', keyId: outcome[7] ?? keyId }
      : invalid(`gpgv cannot check it (reason ${reason})`)
  }
  const [valid, ...more] = found('VALIDSIG')
  const [, signer, , made, , , , , hash, type, primary] = valid ?? []
  if (more.length > 0 || signer === undefined || primary === undefined || (kind === 'good' && exitCode !== 0))
    return invalid('gpgv does not confirm it')
  if (type !== BINARY_DOCUMENT) return invalid(`it is of class ${type}, not over the bytes of a file`)
  if (!STRONG_HASHES.has(hash ?? '')) return invalid(`its hash (number ${hash}) is weak`)
  const expiry = kind === 'key-expired' ? found('KEYEXPIRED').at(-1)?.[1] : undefined
  return {
    signature: kind,
    signer,
    primary,
    made: time(made),
    ...(expiry === undefined ? {} : { keyExpired: time(expiry) }),
  }
}

/** Seconds since 1970, or ISO 8601 as later releases may write it. */
function time(text = ''): Date {
  return /^\d+$/.test(text)
    ? new Date(Number(text) * 1000)
    : new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z'))
}

function invalid(why: string): Verdict {
  return { signature: 'invalid', why }
}
