import { constants } from 'node:os'
import { getSystemErrorMessage } from 'node:util'
import { CarryallError, type ErrorDetails } from './carryall-error.ts'
import type { ErrorCode } from './codes.ts'

const CODE_OF: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOENT', 'INPUT_NOT_FOUND'],
  ['ENOTDIR', 'INPUT_NOT_FOUND'],
  ['EISDIR', 'INPUT_NOT_FOUND'],
  ['EACCES', 'PERMISSION_DENIED'],
  ['EPERM', 'PERMISSION_DENIED'],
  ['EROFS', 'OUTPUT_NOT_WRITABLE'],
  ['EEXIST', 'OUTPUT_EXISTS'],
  ['ENOTEMPTY', 'OUTPUT_EXISTS'],
  ['ENOSPC', 'IO_NO_SPACE'],
  ['EDQUOT', 'IO_NO_SPACE'],
  ['EFBIG', 'IO_NO_SPACE'],
  ['EMFILE', 'OS_LIMIT'],
  ['ENFILE', 'OS_LIMIT'],
  ['ENOMEM', 'OS_LIMIT'],
  ['EAGAIN', 'OS_LIMIT'],
])

const LIMIT = 'Raise the limit (ulimit -n, memory) and run the same command again'
const HINT_OF: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'Free space on that file system and run the same command again; what is there is kept'],
  ['EDQUOT', 'Free space or raise the quota and run the same command again; what is there is kept'],
  ['EFBIG', 'Use a file system, and a limit (ulimit -f), that allows a file of this size'],
  ['EROFS', 'Mount the file system for writing, or name another place'],
  ['EMFILE', LIMIT],
  ['ENFILE', LIMIT],
  ['ENOMEM', LIMIT],
  ['EAGAIN', LIMIT],
])

/**
 * Turns what Node's file functions throw into ours: ENOENT 66, EACCES 77, EROFS 73, ENOSPC 74, EMFILE 71, anything
 * else with an errno 74. `action` names what was tried ("write content/x"). Our own errors and bugs pass through as they are.
 */
export function fromSystemError(error: unknown, action: string, details: ErrorDetails = {}): unknown {
  if (!isSystemError(error)) return error
  const name = nameOf(error)
  const text = name === error.code ? `${getSystemErrorMessage(error.errno)} (${name})` : name
  const hint = details.hint ?? HINT_OF.get(name)
  return new CarryallError(CODE_OF.get(name) ?? 'IO_FAILED', `Cannot ${action}: ${text}`, {
    ...details,
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  })
}

function isSystemError(error: unknown): error is Error & { code: string; errno: number } {
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException
  return error instanceof Error && typeof code === 'string' && typeof errno === 'number'
}

/** Some that matter here Node knows by number alone: a quota used up is "Unknown system error -122" to it. */
function nameOf({ code, errno }: { code: string; errno: number }): string {
  if (!code.includes(' ')) return code
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0] ?? code
}
