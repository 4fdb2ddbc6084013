import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseHtpasswd, readHtpasswd } from './htpasswd.ts'

const HASH = `$2y$05$${'a'.repeat(53)}`

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('users, comments and empty lines, with the line ends of any system', () => {
  expect(parseHtpasswd(`# ours\r\nalice:${HASH}\r\n\n  bob:${HASH.replace('2y', '2b')}\n`, 'f')).toEqual(
    new Map([
      ['alice', HASH],
      ['bob', HASH.replace('2y', '2b')],
    ]),
  )
})

test.each([
  ['a clear password', 'alice:secret', 1],
  ['SHA-1', 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 1],
  ['MD5', 'alice:$apr1$GLDuEg4R$4dTDfjDiLTnLUxVRrfrlb1', 1],
  ['crypt', 'alice:rqXexS6ZhobKA', 1],
  ['a broken variant of bcrypt', `alice:${HASH.replace('2y', '2x')}`, 1],
  ['a hash that is cut', `alice:${HASH.slice(0, -1)}`, 1],
  ['something behind the hash', `alice:${HASH}:more`, 1],
  ['no user', `bob:${HASH}\n:${HASH}`, 2],
  ['no colon', `# x\n\nalice`, 3],
  ['a user twice', `alice:${HASH}\nalice:${HASH}`, 2],
  ['a cost that would keep everybody waiting', `alice:${HASH.replace('$05$', '$15$')}`, 1],
  ['a cost below what bcrypt knows', `alice:${HASH.replace('$05$', '$03$')}`, 1],
])('%s is refused by its line', (_what, text, line) => {
  expect(() => parseHtpasswd(text, '/etc/users')).toThrow(
    expect.objectContaining({
      code: 'AUTH_FILE_INVALID',
      exit: 78,
      details: expect.objectContaining({ location: { file: '/etc/users', line } }),
    }),
  )
})

test('a file without users is refused', () => {
  expect(() => parseHtpasswd('# nobody yet\n', 'f')).toThrow(
    expect.objectContaining({ code: 'AUTH_FILE_INVALID' }),
  )
})

test('what the program htpasswd writes is read; what others may write to is not', async () => {
  const path = join(directory, 'users')
  execFileSync('htpasswd', ['-cbB', '-C', '4', path, 'alice', 'secret'], { stdio: 'ignore' })
  expect([...(await readHtpasswd(path)).keys()]).toEqual(['alice'])
  await chmod(path, 0o664)
  await expect(readHtpasswd(path)).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE' })
  await expect(readHtpasswd(join(directory, 'absent'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  await writeFile(path, `alice:${HASH}\n`.repeat(80_000))
  await chmod(path, 0o600)
  await expect(readHtpasswd(path)).rejects.toMatchObject({ code: 'AUTH_FILE_INVALID' })
})
