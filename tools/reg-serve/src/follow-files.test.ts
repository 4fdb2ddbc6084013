import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { followFiles } from './follow-files.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a file is read again when it was written, replaced or made again, and stays in use while it is bad', async () => {
  const path = join(directory, 'file')
  await writeFile(path, 'one')
  const used: string[] = []
  const failures: unknown[] = []
  const stop = await followFiles({
    paths: [path],
    load: async () => {
      const text = await readFile(path, 'utf8')
      if (text === 'bad') throw new RangeError('bad')
      return text
    },
    use: (text) => used.push(text),
    failed: (error) => failures.push(error),
    everyMs: 5,
  })
  expect(used).toEqual(['one'])
  await writeFile(path, 'bad')
  await expect.poll(() => failures.at(-1)).toBeInstanceOf(RangeError)
  await writeFile(join(directory, 'new'), 'two')
  await rename(join(directory, 'new'), path)
  await expect.poll(() => used.at(-1)).toBe('two')
  await rm(path)
  await expect.poll(() => failures.at(-1)).toMatchObject({ code: 'ENOENT' })
  await writeFile(path, 'three')
  await expect.poll(() => used.at(-1)).toBe('three')
  stop()
  await writeFile(path, 'four')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(used.at(-1)).toBe('three')
})

test('a file that is bad from the start is not followed', async () => {
  const following = {
    paths: [join(directory, 'absent')],
    load: () => readFile(join(directory, 'absent'), 'utf8'),
    use: () => undefined,
    failed: () => undefined,
  }
  await expect(followFiles(following)).rejects.toMatchObject({ code: 'ENOENT' })
})
