import { expect, test } from 'vitest'
import { CarryallError, isCarryallError } from './carryall-error.ts'
import { CODES, type ErrorCode } from './codes.ts'
import { Exit } from './exit.ts'

// A published contract: a line may be added, none may change or go.
const PUBLISHED: Readonly<Record<ErrorCode, number>> = {
  USAGE_UNKNOWN_COMMAND: 64,
  USAGE_UNKNOWN_FLAG: 64,
  USAGE_BAD_VALUE: 64,
  USAGE_MISSING_OPERAND: 64,
  USAGE_EXTRA_OPERAND: 64,
  USAGE_CONFLICT: 64,
  INPUT_NOT_FOUND: 66,
  INPUT_EMPTY: 66,
  INPUT_REFUSED: 66,
  RECEIPT_MISSING: 66,
  INPUT_TOO_LARGE: 65,
  INPUT_SYNTAX: 65,
  SCHEMA_INVALID: 65,
  SCHEMA_UNKNOWN_KEY: 65,
  SCHEMA_UNKNOWN_KIND: 65,
  SCHEMA_NEWER: 65,
  REFERENCE_INVALID: 65,
  PATH_UNSAFE: 65,
  CONFIG_INVALID: 78,
  CONFIG_UNSUPPORTED: 78,
  CONFIG_EMPTY: 78,
  DIGEST_MISMATCH: 82,
  SIZE_MISMATCH: 82,
  FILE_MISSING: 82,
  FILE_UNEXPECTED: 82,
  ARCHIVE_MALFORMED: 82,
  ARCHIVE_ENTRY_REFUSED: 82,
  INDEX_MISMATCH: 82,
  VOLUME_INVALID: 82,
  AUDIT_BROKEN: 82,
  SIG_MISSING: 80,
  SIG_INVALID: 80,
  SIG_UNKNOWN_KEY: 80,
  SIG_KEY_REVOKED: 80,
  SIG_KEY_EXPIRED: 80,
  SIG_THRESHOLD: 80,
  SCAN_REFUSED: 80,
  SEQ_GAP: 81,
  SEQ_FORK: 81,
  SEQ_ROLLBACK: 81,
  SEQ_WRONG_CHAIN: 81,
  SEQ_COPIED: 81,
  SEQ_WRONG_SITE: 81,
  SEQ_EXPIRED: 81,
  SEQ_STATE_MISMATCH: 81,
  SEQ_CLOCK: 81,
  SEQ_INCOMPLETE: 83,
  VOLUME_MISSING: 83,
  TAG_CONFLICT: 84,
  SYNC_SOURCE_MOVED: 75,
  SYNC_NOT_READY: 83,
  SYNC_LIST_INCOMPLETE: 83,
  SYNC_DELETE_LIMIT: 84,
  SYNC_JOURNAL_BROKEN: 82,
  SYNC_MISMATCH: 65,
  OUTPUT_EXISTS: 73,
  OUTPUT_NOT_WRITABLE: 73,
  MEDIA_NAME_REFUSED: 73,
  MEDIA_TOO_SMALL: 73,
  IO_FAILED: 74,
  IO_NO_SPACE: 74,
  OS_LIMIT: 71,
  LOCK_HELD: 75,
  PERMISSION_DENIED: 77,
  FILE_MODE_UNSAFE: 77,
  NET_UNAVAILABLE: 69,
  NET_TIMEOUT: 69,
  NET_TLS: 69,
  NET_RATE_LIMITED: 75,
  NET_ORIGIN_REFUSED: 76,
  NET_PLAIN_HTTP_REFUSED: 77,
  REG_PROTOCOL: 76,
  REG_AMBIGUOUS_MANIFEST: 76,
  REG_UNSUPPORTED_MANIFEST: 76,
  REG_MANIFEST_UNKNOWN: 66,
  REG_BLOB_UNKNOWN: 66,
  REG_REFUSED: 69,
  REG_VERIFY_AFTER_PUSH: 82,
  REG_BLOCKED: 77,
  REG_READ_ONLY: 77,
  REG_QUOTA_EXCEEDED: 77,
  REG_DISK_FULL: 69,
  REG_GIVEN_UP: 69,
  API_UNSUPPORTED: 69,
  API_PROTOCOL: 76,
  API_TOKEN_MISSING: 77,
  LOGIN_FAILED: 77,
  AUTH_REQUIRED: 77,
  AUTH_DENIED: 77,
  AUTH_FILE_INVALID: 78,
  EXEC_NOT_FOUND: 69,
  EXEC_FAILED: 69,
  EXEC_TIMEOUT: 69,
  ITEMS_FAILED: 1,
  INTERRUPTED: 130,
  HUNG_UP: 129,
  TERMINATED: 143,
  PIPE_CLOSED: 141,
  INTERNAL: 70,
}

test('every error code has the exit code that was published', () => {
  expect(CODES).toEqual(PUBLISHED)
})

test('the exit codes are those that were published', () => {
  expect(Exit).toEqual({
    OK: 0,
    PARTIAL: 1,
    USAGE: 64,
    DATA: 65,
    NOINPUT: 66,
    UNAVAILABLE: 69,
    SOFTWARE: 70,
    OSERR: 71,
    CANTCREAT: 73,
    IO: 74,
    TEMPFAIL: 75,
    PROTOCOL: 76,
    NOPERM: 77,
    CONFIG: 78,
    TRUST: 80,
    SEQUENCE: 81,
    INTEGRITY: 82,
    INCOMPLETE: 83,
    CONFLICT: 84,
    ROLLED_BACK: 85,
    SIGHUP: 129,
    SIGINT: 130,
    SIGPIPE: 141,
    SIGTERM: 143,
  })
})

test('codes are upper-case words: an area and a reason, but for the few that need no area', () => {
  for (const code of Object.keys(CODES)) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
})

test('an error carries its code, exit, details and cause', () => {
  const cause = new Error('underneath')
  const error = new CarryallError('SEQ_GAP', 'Cannot apply seq4', { hint: 'Carry seq3 first', cause })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'CarryallError', code: 'SEQ_GAP', exit: 81, cause })
  expect(error.details.hint).toBe('Carry seq3 first')
  expect('cause' in new CarryallError('SEQ_GAP', 'Cannot apply seq4')).toBe(false)
})

test('isCarryallError() tells ours from others, and by code', () => {
  const error = new CarryallError('SEQ_GAP', 'Cannot apply seq4')
  expect(isCarryallError(error)).toBe(true)
  expect(isCarryallError(error, 'SEQ_FORK', 'SEQ_GAP')).toBe(true)
  expect(isCarryallError(error, 'SEQ_FORK')).toBe(false)
  expect(isCarryallError(Object.assign(new Error('x'), { code: 'SEQ_GAP', exit: 81 }))).toBe(false)
  expect(isCarryallError(undefined)).toBe(false)
})
