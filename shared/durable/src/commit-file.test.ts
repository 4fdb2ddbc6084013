import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CarryallError } from '@carryall/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commitFile } from './commit-file.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'commit-'))
})
afterEach(() => rm(root, { recursive: true }))

test('text, bytes and chunks become the file, with exactly the mode', async () => {
  const path = join(root, 'file')
  for (const [data, mode] of [
    ['short é', 0o644],
    [Buffer.alloc(3_000_000, 'x'), 0o666],
    [chunks('one', '', 'two'), 0o600],
    ['', 0o444],
    ['again', 0o777],
  ] as const) {
    await commitFile(path, data, { mode })
    expect((await stat(path)).mode & 0o7777).toBe(mode)
  }
  expect(await readFile(path, 'utf8')).toBe('again')
  await commitFile(path, chunks('one', '', 'two'))
  expect(await readFile(path, 'utf8')).toBe('onetwo')
  expect((await stat(path)).mode & 0o7777).toBe(0o644)
  expect(await readdir(root)).toEqual(['file'])
})

test('with replace: false what is there stays', async () => {
  const path = join(root, 'file')
  await commitFile(path, 'first', { replace: false })
  expect((await stat(path)).nlink).toBe(1)
  await expect(commitFile(path, 'second', { replace: false })).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
    details: { subject: { kind: 'file', name: path } },
  })
  await symlink('nowhere', join(root, 'link'))
  await expect(commitFile(join(root, 'link'), 'x', { replace: false })).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
  })
  expect(await readFile(path, 'utf8')).toBe('first')
  expect((await readdir(root)).toSorted()).toEqual(['file', 'link'])
})

test('of many at once with replace: false one wins', async () => {
  const path = join(root, 'file')
  const outcomes = await Promise.allSettled(
    Array.from({ length: 16 }, (_, n) => commitFile(path, `${n}`, { replace: false })),
  )
  const won = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n}`] : []))
  expect(won).toEqual([await readFile(path, 'utf8')])
  expect(await readdir(root)).toEqual(['file'])
})

test('a link is replaced, not followed', async () => {
  await writeFile(join(root, 'victim'), 'keep')
  await symlink('victim', join(root, 'link'))
  await commitFile(join(root, 'link'), 'new')
  expect((await lstat(join(root, 'link'))).isFile()).toBe(true)
  expect(await readFile(join(root, 'victim'), 'utf8')).toBe('keep')
})

test('what the source throws comes through as it is, and nothing is left', async () => {
  const path = join(root, 'file')
  await commitFile(path, 'old')
  const mismatch = new CarryallError('DIGEST_MISMATCH', 'Other bytes')
  await expect(commitFile(path, failing(mismatch))).rejects.toBe(mismatch)
  const missing = createReadStream(join(root, 'no such source'))
  await expect(commitFile(path, missing)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await readFile(path, 'utf8')).toBe('old')
  expect(await readdir(root)).toEqual(['file'])
})

test('a path that cannot be is OUTPUT_NOT_WRITABLE', async () => {
  await mkdir(join(root, 'directory'))
  await writeFile(join(root, 'file'), '')
  for (const path of ['none/file', 'file/file', 'directory', 'n'.repeat(256)]) {
    await expect(commitFile(join(root, path), 'x')).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
  }
  expect((await readdir(root)).toSorted()).toEqual(['directory', 'file'])
})

test('a write that the kernel cuts short is gone on with, here into the limit', async () => {
  const path = join(root, 'file')
  const module = new URL('./commit-file.ts', import.meta.url).href
  const script = `const { commitFile } = await import(${JSON.stringify(module)})
    const error = await commitFile(${JSON.stringify(path)}, Buffer.alloc(3_000_000)).catch((caught) => caught)
    console.log(error?.code)`
  const args = ['--fsize=1000001', process.execPath, '--input-type=module', '-e', script]
  expect((await promisify(execFile)('prlimit', args)).stdout).toBe('IO_NO_SPACE\n')
  expect(await readdir(root)).toEqual([])
})

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text)
}

async function* failing(error: Error) {
  yield Buffer.alloc(100_000)
  throw error
}
