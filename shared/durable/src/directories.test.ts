import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureDirectory } from './ensure-directory.ts'
import { publishDirectory } from './publish-directory.ts'
import { removeOrphans } from './remove-orphans.ts'
import { removeTree } from './remove-tree.ts'
import { syncTree } from './sync-tree.ts'
import { temporaryName } from './temporary-name.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'directories-'))
})
afterEach(() => rm(root, { recursive: true }))

test('ensureDirectory makes what is missing, with the mode, and keeps what is there', async () => {
  await mkdir(join(root, 'a'), { mode: 0o700 })
  await ensureDirectory(join(root, 'a/b/c'), 0o777)
  await ensureDirectory(join(root, 'a/b/c'), 0o700)
  const modes = ['a', 'a/b', 'a/b/c'].map(async (path) => (await stat(join(root, path))).mode & 0o777)
  expect(await Promise.all(modes)).toEqual([0o700, 0o777, 0o777])
  await Promise.all(Array.from({ length: 8 }, () => ensureDirectory(join(root, 'x/y/z'))))
  expect((await stat(join(root, 'x/y/z'))).mode & 0o777).toBe(0o755)
})

test('ensureDirectory follows a link to a directory and refuses a file', async () => {
  await mkdir(join(root, 'real'))
  await symlink('real', join(root, 'link'))
  await ensureDirectory(join(root, 'link/a'))
  expect(await readdir(join(root, 'real'))).toEqual(['a'])
  await writeFile(join(root, 'file'), '')
  await symlink('gone', join(root, 'dangling'))
  await expect(ensureDirectory(join(root, 'file'))).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  await expect(ensureDirectory(join(root, 'dangling'))).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  await expect(ensureDirectory(join(root, 'file/a'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
})

test('publishDirectory moves a tree with all in it', async () => {
  await mkdir(join(root, 'staging/s/deep'), { recursive: true })
  await writeFile(join(root, 'staging/s/deep/file'), 'x')
  await symlink('nowhere', join(root, 'staging/s/link'))
  await publishDirectory(join(root, 'staging/s'), join(root, 'final'))
  expect(await readFile(join(root, 'final/deep/file'), 'utf8')).toBe('x')
  expect(await readdir(join(root, 'staging'))).toEqual([])
})

test('publishDirectory refuses any name that is taken, and keeps the staging', async () => {
  await mkdir(join(root, 'staged'))
  await mkdir(join(root, 'empty'))
  await writeFile(join(root, 'file'), '')
  await symlink('nowhere', join(root, 'link'))
  for (const name of ['empty', 'file', 'link']) {
    await expect(publishDirectory(join(root, 'staged'), join(root, name))).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    })
  }
  await expect(publishDirectory(join(root, 'none'), join(root, 'final'))).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  })
  expect((await readdir(root)).toSorted()).toEqual(['empty', 'file', 'link', 'staged'])
})

test('syncTree names what is not there', async () => {
  await expect(syncTree(join(root, 'none'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
})

test('removeTree removes a tree, and nothing where nothing is', async () => {
  await mkdir(join(root, 'staging/a/b'), { recursive: true })
  await writeFile(join(root, 'staging/a/b/file'), '')
  await removeTree(join(root, 'staging'))
  await removeTree(join(root, 'staging'))
  expect(await readdir(root)).toEqual([])
})

test('removeOrphans removes our leftovers only', async () => {
  const orphans = [temporaryName(), temporaryName()].toSorted()
  await writeFile(join(root, orphans[0]!), '')
  await mkdir(join(root, orphans[1]!, 'half'), { recursive: true })
  const others = ['.carryall', '.carryall-tmp-', '.carryall-tmp-0123456789abcdef01234567.txt', 'file']
  for (const name of others) await writeFile(join(root, name), '')
  expect(await removeOrphans(root)).toEqual(orphans)
  expect(await removeOrphans(root)).toEqual([])
  expect((await readdir(root)).toSorted()).toEqual(others)
})
