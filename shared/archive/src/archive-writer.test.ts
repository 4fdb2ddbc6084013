import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openArchive } from './archive-writer.ts'
import { planArchives } from './plan-archives.ts'
import { arbitraryContents, bytesOf } from './testing/arbitrary-contents.ts'
import { entriesOf, makeScratch, output, planOf, writeArchive, writeContents } from './testing/scratch.ts'
import { verifyArchive } from './verify-archive.ts'
import { walkArchive } from './walk-archive.ts'

const GIB = 1024 ** 3

function digests(contents: readonly { readonly name: string; readonly data: Buffer }[]): Map<string, string> {
  return new Map(
    contents.map(({ name, data }) => [name, `sha256:${createHash('sha256').update(data).digest('hex')}`]),
  )
}

describe('an archive that was written', () => {
  test('is what GNU tar, bsdtar and the strict reader take it for', async () => {
    using scratch = makeScratch()
    let run = 0
    await fc.assert(
      fc.asyncProperty(arbitraryContents, async (contents) => {
        run += 1
        const path = join(scratch.path, `${run}.tar`)
        const into = join(scratch.path, String(run))
        const plan = await writeArchive(path, contents)
        expect(statSync(path).size).toBe(plan.size)

        const names = contents.map(({ name }) => name)
        mkdirSync(into)
        const [verbose, bsd] = await Promise.all([
          output('tar', '--numeric-owner', '--full-time', '--quoting-style=literal', '-tvf', path),
          output('bsdtar', '-tf', path),
          output('tar', '-C', into, '-xf', path),
        ])
        expect(
          verbose
            .split('\n')
            .slice(0, -1)
            .map((line) => line.replace(/^(\S+ 0\/0) +/, '$1 ')),
        ).toEqual(
          contents.map(({ name, data }) => `-rw-r--r-- 0/0 ${data.length} 1970-01-01 00:00:00 ${name}`),
        )
        expect(bsd.split('\n').slice(0, -1)).toEqual(names)
        for (const { name, data } of contents) expect(readFileSync(join(into, name)).equals(data)).toBe(true)

        expect(await entriesOf(path, { size: plan.size })).toEqual(
          plan.entries.map((entry) => ({ type: 'file', ...entry })),
        )
        const whole = `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`
        expect(await verifyArchive(path, plan, digests(contents))).toEqual({ sha256: whole, faults: [] })
      }),
      { numRuns: 25 },
    )
  })

  test('has no holes', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const contents = [
      { name: 'zeros', data: Buffer.alloc(3_000_001) },
      { name: 'empty', data: Buffer.alloc(0) },
      { name: 'more', data: bytesOf('more', 700_000) },
    ]
    const plan = planOf(contents)
    const writer = await openArchive(path, plan)
    const sparse = statSync(path)
    expect(sparse.size).toBe(plan.size)
    await writeContents(writer, contents)
    await writer.close()
    const { blocks, size } = statSync(path)
    // A file system that tells holes from data shows that the check can fail.
    expect(sparse.blocks * 512).toBeLessThan(size)
    expect(blocks * 512).toBeGreaterThanOrEqual(size)
    expect(execFileSync('filefrag', ['-v', path], { encoding: 'utf8' })).not.toMatch(/unwritten|hole/)
  })

  test('is the same after it was opened again half-way', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const contents = [
      { name: 'first', data: bytesOf('first', 1000) },
      { name: 'second', data: bytesOf('second', 2000) },
    ]
    const plan = planOf(contents)
    const before = await openArchive(path, plan)
    await before.write(plan.entries[0]!.offset, contents[0]!.data)
    await before.close()
    const after = await openArchive(path, plan)
    await after.write(plan.entries[1]!.offset, contents[1]!.data)
    await after.close()
    expect((await verifyArchive(path, plan, digests(contents))).faults).toEqual([])
    expect(statSync(path).mode & 0o777).toBe(0o644)
  })

  test('lists entries of more than 8 GiB', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'large.tar')
    const plan = planArchives([
      { name: 'large', size: 8 * GIB },
      { name: `${'long/'.repeat(60)}larger`, size: 9 * GIB + 1 },
      { name: 'small', size: 3 },
    ])[0]!
    const writer = await openArchive(path, plan)
    await writer.close()
    const listed = await output('tar', '--numeric-owner', '-tvf', path)
    expect(
      listed
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split(/ +/)[2]),
    ).toEqual(plan.entries.map(({ size }) => String(size)))
    expect(await output('bsdtar', '-tf', path)).toBe(plan.entries.map(({ name }) => `${name}\n`).join(''))
    expect(await entriesOf(path)).toEqual(plan.entries.map((entry) => ({ type: 'file', ...entry })))
  })
})

describe('ArchiveWriter', () => {
  test('writes nothing but data of one entry', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const plan = planArchives([
      { name: 'a', size: 10 },
      { name: 'b', size: 512 },
    ])[0]!
    const writer = await openArchive(path, plan)
    const [a, b] = [plan.entries[0]!, plan.entries[1]!]
    const before = readFileSync(path)
    for (const [position, length] of [
      [0, 1],
      [a.offset - 1, 2],
      [a.offset, 11],
      [a.offset + 10, 1],
      [b.header, 1],
      [b.offset, 513],
      [b.offset + 512, 1],
      [plan.size, 1],
      [-1, 1],
    ] as const) {
      await expect(writer.write(position, Buffer.alloc(length, 1))).rejects.toThrow(RangeError)
    }
    expect(readFileSync(path).equals(before)).toBe(true)
    await writer.write(b.offset, Buffer.alloc(512, 1))
    await writer.write(b.offset + 512, Buffer.alloc(0))
    await writer.close()
  })

  test('opens a regular file only, and leaves what a link points to alone', async () => {
    using scratch = makeScratch()
    const plan = planArchives([])[0]!
    writeFileSync(join(scratch.path, 'target'), 'precious')
    symlinkSync('target', join(scratch.path, 'link'))
    symlinkSync('nowhere', join(scratch.path, 'dangling'))
    mkdirSync(join(scratch.path, 'directory'))
    execFileSync('mkfifo', [join(scratch.path, 'fifo')])
    for (const name of ['link', 'dangling', 'directory', 'fifo']) {
      await expect(openArchive(join(scratch.path, name), plan)).rejects.toMatchObject({
        code: 'OUTPUT_EXISTS',
      })
    }
    expect(readFileSync(join(scratch.path, 'target'), 'utf8')).toBe('precious')
    await expect(openArchive(join(scratch.path, 'none', 'a.tar'), plan)).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
    })
  })
})

test('one walk gives the digests of the archive and of its entries, wherever chunks end', async () => {
  using scratch = makeScratch()
  const path = join(scratch.path, 'a.tar')
  const contents = [
    { name: 'small', data: bytesOf('small', 13) },
    { name: 'up-to-the-edge', data: bytesOf('edge', 1024 ** 2 - 3 * 512 - 300) },
    {
      name: `${'x'.repeat(90)}/${'y'.repeat(90)}/${'z'.repeat(120)}`,
      data: bytesOf('long', 2 * 1024 ** 2 + 1),
    },
    { name: 'empty', data: Buffer.alloc(0) },
    { name: 'last', data: bytesOf('last', 512) },
  ]
  await writeArchive(path, contents)
  const whole = createHash('sha256')
  const found = new Map<string, string>()
  let entry = createHash('sha256')
  await walkArchive(path, {
    onBytes: (chunk) => void whole.update(chunk),
    onEntry: () => void (entry = createHash('sha256')),
    onData: (_, chunk) => void entry.update(chunk),
    onEntryEnd: ({ name }) => void found.set(name, `sha256:${entry.digest('hex')}`),
  })
  expect(found).toEqual(digests(contents))
  expect(whole.digest('hex')).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'))
})
