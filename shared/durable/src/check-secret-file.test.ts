import { isCarryallError } from '@carryall/errors'
import { expect, test } from 'vitest'
import { checkSecretMode } from './check-secret-file.ts'

const safe = (mode: number, uid: number, euid: number) => {
  try {
    checkSecretMode('/x/auth.json', { mode: 0o100000 | mode, uid }, euid)
    return true
  } catch (error) {
    if (isCarryallError(error, 'FILE_MODE_UNSAFE')) return false
    throw error
  }
}

test.each([
  ['ours, closed', 0o600, 1000, 1000, true],
  ['ours, read-only', 0o400, 1000, 1000, true],
  ['ours, group may read', 0o640, 1000, 1000, false],
  ['ours, all may read', 0o644, 1000, 1000, false],
  ['ours, group may write', 0o620, 1000, 1000, false],
  ['root’s for a group of operators', 0o640, 0, 1000, true],
  ['root’s mounted secret', 0o444, 0, 1000, true],
  ['root’s, all may write', 0o666, 0, 1000, false],
  ['someone else’s', 0o644, 1001, 1000, false],
  ['a user’s, for root', 0o600, 1000, 0, true],
  ['a user’s that all may read, for root', 0o644, 1000, 0, true],
  ['a user’s that others may write, for root', 0o646, 1000, 0, false],
  ['root’s own, all may read', 0o644, 0, 0, false],
])('%s', (_, mode, uid, euid, expected) => {
  expect(safe(mode, uid, euid)).toBe(expected)
})
