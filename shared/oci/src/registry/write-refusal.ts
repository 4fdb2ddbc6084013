import type { ErrorCode } from '@carryall/errors'

/** A refused write, as much of it as tells why. */
export interface RefusedWrite {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly repository: string
  readonly status: number
  readonly body: string
  /** The header `Allow`. */
  readonly allow?: string | undefined
}

/** Why a registry takes no writes. */
export interface WriteRefusal {
  readonly code: Extract<ErrorCode, 'REG_READ_ONLY' | 'REG_QUOTA_EXCEEDED' | 'REG_DISK_FULL'>
  /** What it certainly concerns; undefined where a single refusal does not tell. */
  readonly concerns?: 'registry' | 'namespace' | 'repository'
}

// docker-registry gives the system's error numbers: 28 ENOSPC, 122 EDQUOT, 30 EROFS.
const NO_SPACE = /no space left on device|disk quota exceeded|insufficient storage|"err"\s*:\s*(?:28|122)\b/i
const MOUNTED_READ_ONLY = /read-only file system|"err"\s*:\s*30\b/i
const QUOTA = /\bquota\b.*\bexceed|\bexceed\w*\b.*\bquota\b|exceed the configured upper limit/is
const QUOTA_OF_NAMESPACE = /\bquota\b.*\bon namespace\b/is
const QUOTA_STATUS = new Set([400, 403, 412, 413])
const READ_ONLY = /\bread[- ]?only\b/i
const READ_ONLY_STATUS = new Set([403, 405, 423, 503])
const MIRROR = /\bmirror(?:ed)?\b.*\bcannot be (?:modified|pushed)/is
// What is read-only then is somebody's right, and not the place.
const RIGHTS = /\b(?:token|account|user|robot|credential|permission|role|scope|access)s?\b/i
const WHOLE = /\b(?:system|registry|server|instance)\b/i
const WRITES = /\b(?:POST|PUT|PATCH|DELETE)\b/

/**
 * Tells from the answer of a registry whether its storage is full, a quota used up, or nothing is to be written there; by the
 * words of docker-registry, Quay and Harbor. Undefined for any other refusal.
 */
export function writeRefusal(refused: RefusedWrite): WriteRefusal | undefined {
  const { status, body } = refused
  if (status === 507 || (status >= 500 && NO_SPACE.test(body)))
    return { code: 'REG_DISK_FULL', concerns: 'registry' }
  if (status >= 500 && MOUNTED_READ_ONLY.test(body)) return { code: 'REG_READ_ONLY', concerns: 'registry' }
  if (QUOTA_STATUS.has(status) && QUOTA.test(body))
    return { code: 'REG_QUOTA_EXCEEDED', ...(QUOTA_OF_NAMESPACE.test(body) ? { concerns: 'namespace' } : {}) }
  return readOnly(refused)
}

function readOnly({ method, path, repository, status, body, allow }: RefusedWrite): WriteRefusal | undefined {
  const code = 'REG_READ_ONLY'
  if (status === 405 && MIRROR.test(body)) return { code, concerns: 'repository' }
  if (READ_ONLY_STATUS.has(status) && READ_ONLY.test(body) && !RIGHTS.test(body)) {
    // Quay names the repository whose state it is.
    if (repository.includes('/') && body.includes(repository)) return { code, concerns: 'repository' }
    return { code, ...(WHOLE.test(body) ? { concerns: 'registry' } : {}) }
  }
  if (status !== 405) return undefined
  // docker-registry under maintenance answers by its router, which knows only the methods that are left.
  if (allow !== undefined && !WRITES.test(allow)) return { code }
  // An upload that cannot even be begun; a mount alone may be what is not supported.
  return method === 'POST' && /\/blobs\/uploads\/(?:$|\?(?!.*\bmount=))/.test(path) ? { code } : undefined
}
