import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hashFile } from './hash-file.ts'
import { formatSums, parseSums } from './sums.ts'

test('coreutils checks what is written, in the order of LC_ALL=C sort', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sums-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const files = []
  for (const path of ['b', 'B', 'a b', 'ä', 'mirror_000001.tar']) {
    await writeFile(join(directory, path), path)
    files.push({ path, sha256: (await hashFile(join(directory, path))).sha256 })
  }
  const sums = formatSums(files)
  await writeFile(join(directory, 'SHA256SUMS'), sums)
  execFileSync('sha256sum', ['--strict', '-c', 'SHA256SUMS'], { cwd: directory, stdio: 'pipe' })
  expect([...parseSums(sums, 'SHA256SUMS').keys()]).toEqual(['B', 'a b', 'b', 'mirror_000001.tar', 'ä'])
})

const sum = 'a'.repeat(64)
test.each([
  ['cut', `${sum}  a\n${sum}  b`],
  ['not sorted', `${sum}  b\n${sum}  a\n`],
  ['named twice', `${sum}  a\n${sum}  a\n`],
  ['a path that leaves', `${sum}  ../a\n`],
  ['an absolute path', `${sum}  /a\n`],
  ['binary mode', `${sum} *a\n`],
  ['an escaped name', `\\${sum}  a\\nb\n`],
  ['upper case', `${sum.toUpperCase()}  a\n`],
  ['an empty line', `${sum}  a\n\n`],
  ['a short sum', `${sum.slice(1)}  a\n`],
])('refuses sums with %s', (_what, text) => {
  expect(() => parseSums(text, 'SHA256SUMS')).toThrow(expect.objectContaining({ code: 'INDEX_MISMATCH' }))
})
