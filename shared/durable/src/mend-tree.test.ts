import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mendTree } from './mend-tree.ts'

const ORPHAN = '.carryall-tmp-0123456789abcdef01234567'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mend-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('temporary files go at every depth, directories get their mode, all else stays', async () => {
  const inner = join(dir, 'a', 'b')
  await mkdir(inner, { recursive: true })
  for (const name of [ORPHAN, 'kept']) await writeFile(join(inner, name), name, { mode: 0o600 })
  await mkdir(join(dir, ORPHAN, 'half'), { recursive: true })
  for (const directory of [inner, dir]) await chmod(directory, 0o700)
  await mendTree(dir)
  expect(await readdir(dir, { recursive: true })).toEqual(['a', 'a/b', 'a/b/kept'])
  for (const directory of [dir, inner]) expect((await stat(directory)).mode & 0o777).toBe(0o755)
  expect((await stat(join(inner, 'kept'))).mode & 0o777).toBe(0o600)
})

test('a directory that is not there is an error of ours', async () => {
  await expect(mendTree(join(dir, 'none'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
})
