import { appendFile, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { appendLine, lastLine, type Tail } from './append-line.ts'

let path: string
beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'carryall-append-'))
  path = join(directory, 'log')
  return () => rm(directory, { recursive: true })
})

const append = async (line: string): Promise<Tail> => {
  let seen: Tail | undefined
  await appendLine(path, (tail) => {
    seen = tail
    return line
  })
  return seen!
}
const NL = '\n'

test('lines follow one another, and each sees the one before', async () => {
  expect(await append('one')).toEqual({ previous: undefined, dropped: 0 })
  expect(await append('')).toEqual({ previous: Buffer.from(`one${NL}`), dropped: 0 })
  expect(await append('three')).toEqual({ previous: Buffer.from(NL), dropped: 0 })
  expect(await readFile(path, 'utf8')).toBe(`one${NL}${NL}three${NL}`)
  expect(await lastLine(path)).toEqual(Buffer.from(`three${NL}`))
})

test('the last line is found across the steps in which the file is read', async () => {
  for (const size of [65_534, 65_535, 65_536, 65_537, 131_072, 300_000]) {
    await writeFile(path, `first${NL}${'x'.repeat(size)}${NL}`)
    expect((await append('next')).previous?.length).toBe(size + 1)
    await writeFile(path, `${'x'.repeat(size)}${NL}`)
    expect((await lastLine(path))?.length).toBe(size + 1)
    await writeFile(path, `first${NL}${'x'.repeat(size)}`)
    expect(await append('next')).toEqual({ previous: Buffer.from(`first${NL}`), dropped: size })
    expect(await readFile(path, 'utf8')).toBe(`first${NL}next${NL}`)
  }
})

test('what fails leaves the lines as they were', async () => {
  await append('one')
  await appendFile(path, 'cut')
  await expect(
    appendLine(path, () => {
      throw new Error('no line')
    }),
  ).rejects.toThrow('no line')
  expect(await readFile(path, 'utf8')).toBe(`one${NL}cut`)
  await expect(appendLine(join(path, 'below'), () => '')).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  })
  await symlink(path, `${path}.link`)
  await expect(appendLine(`${path}.link`, () => '')).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
})

test('a disk that is full is told, and holds no half line', async () => {
  await expect(appendLine('/dev/full', () => 'line')).rejects.toMatchObject({ code: 'IO_NO_SPACE' })
})

test('there is no last line without a file, and one is made where that is wanted', async () => {
  expect(await lastLine(path)).toBeUndefined()
  expect(await lastLine(path, { make: true })).toBeUndefined()
  expect((await stat(path)).size).toBe(0)
  await expect(lastLine(join(path, 'below'), { make: true })).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  })
})
