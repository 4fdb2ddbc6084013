import { CarryallError, type ErrorDetails } from './carryall-error.ts'
import type { ErrorCode } from './codes.ts'

const ERRNO: Record<string, ErrorCode> = {
  ENOENT: 'INPUT_NOT_FOUND',
  ENOTDIR: 'INPUT_NOT_FOUND',
  EISDIR: 'INPUT_NOT_FOUND',
  EACCES: 'PERMISSION_DENIED',
  EPERM: 'PERMISSION_DENIED',
  EROFS: 'OUTPUT_NOT_WRITABLE',
  EEXIST: 'OUTPUT_EXISTS',
  ENOTEMPTY: 'OUTPUT_EXISTS',
  ENOSPC: 'IO_NO_SPACE',
  EDQUOT: 'IO_NO_SPACE',
  EFBIG: 'IO_NO_SPACE',
  EMFILE: 'OS_LIMIT',
  ENFILE: 'OS_LIMIT',
  ENOMEM: 'OS_LIMIT',
  EAGAIN: 'OS_LIMIT',
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  IO_NO_SPACE: 'Free space on that file system and run the same command again; what is there is kept',
  OS_LIMIT: 'Raise the limit (ulimit -n, memory) and run the same command again',
}

/**
 * Turns what Node's file functions throw into ours: ENOENT 66, EACCES 77, EROFS 73, ENOSPC 74, EMFILE 71, anything
 * else with an errno 74. `action` names what was tried ("write content/x"). Our own errors and bugs pass through as they are.
 */
export function fromSystemError(error: unknown, action: string, details: ErrorDetails = {}): unknown {
  if (error instanceof CarryallError) return error
  const errno = (error as NodeJS.ErrnoException | null)?.code
  const isSystem = error instanceof Error && typeof (error as NodeJS.ErrnoException).errno === 'number'
  if (!isSystem || typeof errno !== 'string') return error
  const code = ERRNO[errno] ?? 'IO_FAILED'
  const hint = details.hint ?? HINTS[code]
  return new CarryallError(code, `Cannot ${action}: ${errno}`, { ...details, ...(hint === undefined ? {} : { hint }), cause: error })
}
