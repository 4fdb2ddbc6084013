/** What was going on when something failed. */
export type Doing = 'listing' | 'reading' | 'writing'

const CODE_OF: Readonly<Record<Doing, string>> = {
  listing: 'API_REQUEST_FAILED',
  reading: 'SYNC_PULL_FAILED',
  writing: 'SYNC_PUSH_FAILED',
}
/** What only one side can say. */
const READING: ReadonlySet<string> = new Set([
  'REG_MANIFEST_UNKNOWN',
  'REG_BLOB_UNKNOWN',
  'REG_AMBIGUOUS_MANIFEST',
  'REG_UNSUPPORTED_MANIFEST',
  'SYNC_SOURCE_MOVED',
])
const WRITING: ReadonlySet<string> = new Set([
  'REG_READ_ONLY',
  'REG_QUOTA_EXCEEDED',
  'REG_DISK_FULL',
  'REG_REFUSED',
])

/**
 * The code of the event log for one of ours: `AUTH_*` and `LOGIN_*` are LOGIN_FAILED, `API_*` stays, a tag that differs is
 * SYNC_CONFLICT, what failed to be read, written or read back is SYNC_PULL_FAILED, SYNC_PUSH_FAILED or SYNC_VERIFY_FAILED, and
 * SYNC_FAILED where that is not known.
 */
export function logCode(code: string, doing?: Doing): string {
  if (/^(?:AUTH|LOGIN)_|^API_TOKEN_MISSING$/.test(code)) return 'LOGIN_FAILED'
  if (code.startsWith('API_')) return code
  if (code === 'TAG_CONFLICT') return 'SYNC_CONFLICT'
  if (code === 'REG_VERIFY_AFTER_PUSH') return 'SYNC_VERIFY_FAILED'
  if (doing !== undefined) return CODE_OF[doing]
  if (READING.has(code)) return 'SYNC_PULL_FAILED'
  return WRITING.has(code) ? 'SYNC_PUSH_FAILED' : 'SYNC_FAILED'
}
