import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cloneFile } from './clone-file.ts'
import { publishFile } from './publish-file.ts'

const run = promisify(execFile)
let root: string
let mounted: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clone-'))
  mounted = join(root, 'mounted')
  await mkdir(mounted)
  await writeFile(join(root, 'source'), 'source', { mode: 0o600 })
})
afterEach(() => rm(root, { recursive: true }))

async function onBtrfs(use: () => Promise<void>): Promise<void> {
  const image = join(root, 'image')
  await using handle = await open(image, 'w')
  await handle.truncate(120 * 2 ** 20)
  await run('mkfs.btrfs', ['-q', image])
  await run('mount', ['-o', 'loop', image, mounted])
  try {
    await use()
  } finally {
    await run('umount', [mounted])
  }
}

test('reflink: other data after a write, the same before', () =>
  onBtrfs(async () => {
    const [source, target] = [join(mounted, 'source'), join(mounted, 'target')]
    await writeFile(source, 'x'.repeat(100_000), { mode: 0o600 })
    expect(await cloneFile(source, target, 'reflink')).toBe(true)
    await writeFile(source, 'changed')
    expect(await readFile(target, 'utf8')).toBe('x'.repeat(100_000))
    expect((await stat(target)).mode & 0o777).toBe(0o644)
    // Another file system.
    expect(await cloneFile(join(root, 'source'), join(mounted, 'far'), 'reflink')).toBe(false)
    expect(await cloneFile(join(root, 'source'), join(mounted, 'far'), 'hard')).toBe(false)
    expect((await readdir(mounted)).toSorted()).toEqual(['source', 'target'])
  }))

test('hard: one file with two names; a name that is taken is refused', async () => {
  const [source, target] = [join(root, 'source'), join(root, 'target')]
  expect(await cloneFile(source, target, 'hard')).toBe(true)
  expect((await stat(target)).ino).toBe((await stat(source)).ino)
  await expect(cloneFile(source, target, 'hard')).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
})

test('publishFile takes a name once, or replaces what has it', async () => {
  const [first, second, final] = [join(root, 'first'), join(root, 'second'), join(root, 'final')]
  await writeFile(first, '1')
  await writeFile(second, '2')
  await publishFile(first, final, { replace: false })
  await expect(publishFile(second, final, { replace: false })).rejects.toMatchObject({
    code: 'OUTPUT_EXISTS',
  })
  expect(await readFile(final, 'utf8')).toBe('1')
  await publishFile(second, final, { replace: true })
  expect(await readFile(final, 'utf8')).toBe('2')
  await expect(publishFile(second, final, { replace: true })).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  })
  expect((await readdir(root)).toSorted()).toEqual(['final', 'mounted', 'source'])
})
