import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redact } from '@carryall/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkSecretFile } from './check-secret-file.ts'
import { readSecretFile } from './read-secret-file.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secret-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function secretFile(text: string, mode = 0o600): Promise<string> {
  const path = join(directory, 'secret')
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

test.each([
  ['word', 'word'],
  ['two words \n', 'two words '],
  ['dos\r\nmore', 'dos'],
  ['ünï\nsecond line', 'ünï'],
])('%j holds %j', async (text, secret) => {
  expect(await readSecretFile(await secretFile(text))).toBe(secret)
})

test('what was read is masked from then on', async () => {
  await readSecretFile(await secretFile('canary-of-this-test\n'))
  expect(redact('it is canary-of-this-test')).toBe('it is ***')
})

test.each([
  ['', 0o600, 'INPUT_EMPTY'],
  ['\nsecond', 0o600, 'INPUT_EMPTY'],
  ['word', 0o644, 'FILE_MODE_UNSAFE'],
  ['x'.repeat(65_537), 0o600, 'INPUT_TOO_LARGE'],
])('%.10j with mode %o is %s', async (text, mode, code) => {
  await expect(readSecretFile(await secretFile(text, mode))).rejects.toMatchObject({ code })
})

test('a file that is not there is INPUT_NOT_FOUND, for a program that would read it, too', async () => {
  for (const look of [readSecretFile, checkSecretFile])
    await expect(look(join(directory, 'none'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
})

test('a named pipe can hold a secret', async () => {
  const path = join(directory, 'pipe')
  execFileSync('mkfifo', ['-m', '600', path])
  const [secret] = await Promise.all([readSecretFile(path), writeFile(path, 'from a pipe\n')])
  expect(secret).toBe('from a pipe')
})
