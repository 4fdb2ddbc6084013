import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAssembly } from './open-assembly.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assembly-'))
})
afterEach(() => rm(dir, { recursive: true }))

test('pieces in any order, over several runs, become a file', async () => {
  {
    await using first = await openAssembly(dir, 'a', 10)
    await first.write(Buffer.from('56789'), 5)
    await first.record({ offset: 5, size: 5 })
    await first.write(Buffer.from('xx'), 0)
  }
  await using second = await openAssembly(dir, 'a', 10)
  expect(second.pieces).toEqual([{ offset: 5, size: 5 }])
  await second.write(Buffer.from('01234'), 0)
  await second.record({ offset: 0, size: 5 })
  expect(second.pieces.map((piece) => piece.offset)).toEqual([0, 5])
  await second.commit(join(dir, 'final'))
  expect(await readFile(join(dir, 'final'), 'utf8')).toBe('0123456789')
  expect((await stat(join(dir, 'final'))).mode & 0o777).toBe(0o644)
  expect(await readdir(dir)).toEqual(['final'])
})

test.each([
  'not JSON',
  '[{"offset":-1,"size":5}]',
  '[{"offset":8,"size":5}]',
  '[{"offset":0,"size":0}]',
  '{}',
  '[1]',
])('a record that says %s counts as none', async (text) => {
  await writeFile(join(dir, 'a.pieces'), text)
  await using assembly = await openAssembly(dir, 'a', 10)
  expect(assembly.pieces).toEqual([])
})

test('pieces of a file that is not as large as it was are forgotten', async () => {
  {
    await using first = await openAssembly(dir, 'a', 10)
    await first.record({ offset: 0, size: 10 })
  }
  await truncate(join(dir, 'a'), 4)
  await using again = await openAssembly(dir, 'a', 10)
  expect(again.pieces).toEqual([])
  expect((await again.handle.stat()).size).toBe(10)
})

test('what was proven wrong is asked for again', async () => {
  await using assembly = await openAssembly(dir, 'a', 10)
  await assembly.record({ offset: 0, size: 10 })
  await assembly.forget()
  expect(assembly.pieces).toEqual([])
  await using again = await openAssembly(dir, 'a', 10)
  expect(again.pieces).toEqual([])
})

test('where there is no such directory, the output is not writable', async () => {
  await expect(openAssembly(join(dir, 'none'), 'a', 1)).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
})
