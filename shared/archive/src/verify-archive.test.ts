import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openArchive } from './archive-writer.ts'
import { ArchiveChecker } from './check-archive.ts'
import type { ArchivePlan } from './plan-archives.ts'
import { bytesOf } from './testing/arbitrary-contents.ts'
import { type Content, makeScratch, writeArchive } from './testing/scratch.ts'
import { verifyArchive } from './verify-archive.ts'

const CONTENTS: readonly Content[] = [
  { name: 'one', data: bytesOf('one', 100) },
  { name: 'empty', data: Buffer.alloc(0) },
  { name: `${'long/'.repeat(50)}two`, data: bytesOf('two', 512) },
]
const DIGESTS = new Map(CONTENTS.map(({ name, data }) => [name, sha256(data)]))

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

describe('verifyArchive', () => {
  test('finds a flipped bit in every byte, and where it is', async () => {
    using scratch = makeScratch('/dev/shm')
    const path = join(scratch.path, 'a.tar')
    const plan = await writeArchive(path, CONTENTS)
    const good = readFileSync(path)
    for (let at = 0; at < good.length; at += 1) {
      const bad = Buffer.from(good)
      bad[at] = bad[at]! ^ (1 << (at % 8))
      const { sha256: whole, faults } = await verifyArchive(scratch.file('bad.tar', bad), plan, DIGESTS)
      expect(whole).toBe(sha256(bad))
      expect(faults).toHaveLength(1)
      const fault = faults[0]!
      const data = plan.entries.find(({ offset, size }) => at >= offset && at < offset + size)
      if (data === undefined) expect(fault).toMatchObject({ code: 'ARCHIVE_MALFORMED', offset: at })
      else
        expect(fault).toMatchObject({
          code: 'DIGEST_MISMATCH',
          name: data.name,
          offset: data.offset,
          expected: DIGESTS.get(data.name),
        })
    }
  })

  test('goes on after a fault, and names each', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const plan = await writeArchive(path, CONTENTS)
    const bad = readFileSync(path)
    const [one, empty, two] = [plan.entries[0]!, plan.entries[1]!, plan.entries[2]!]
    for (const at of [3, one.offset, one.offset + one.size, empty.header + 5, two.offset, plan.size - 1])
      bad[at] = bad[at]! ^ 0xff
    const { faults } = await verifyArchive(
      scratch.file('bad.tar', Buffer.concat([bad, Buffer.from('tail')])),
      plan,
      DIGESTS,
    )
    expect(faults.map(({ name, code, offset }) => [name, code, offset])).toEqual([
      ['one', 'ARCHIVE_MALFORMED', 3],
      ['one', 'DIGEST_MISMATCH', one.offset],
      ['one', 'ARCHIVE_MALFORMED', one.offset + one.size],
      [two.name, 'DIGEST_MISMATCH', two.offset],
      [plan.name, 'ARCHIVE_MALFORMED', plan.size - 1],
      [plan.name, 'SIZE_MISMATCH', plan.size],
    ])
  })

  test('finds every truncation and every addition', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const plan = await writeArchive(path, CONTENTS)
    const good = readFileSync(path)
    const sizes = Array.from({ length: good.length / 512 }, (_, block) => [
      block * 512 - 1,
      block * 512,
      block * 512 + 1,
    ]).flat()
    for (const size of sizes.filter((length) => length >= 0)) {
      const { faults } = await verifyArchive(scratch.file('cut.tar', good.subarray(0, size)), plan, DIGESTS)
      expect(faults[0]).toEqual({
        name: plan.name,
        code: 'SIZE_MISMATCH',
        offset: size,
        expected: plan.size,
        actual: size,
      })
      const cut = plan.entries.filter((entry) => entry.size > 0 && entry.offset + entry.size > size)
      expect(faults.slice(1).map(({ name }) => name)).toEqual(cut.map(({ name }) => name))
    }
    for (const added of [1, 511, 512, 10_240]) {
      const longer = Buffer.concat([good, Buffer.alloc(added)])
      const { sha256: whole, faults } = await verifyArchive(scratch.file('longer.tar', longer), plan, DIGESTS)
      expect(faults).toMatchObject([{ name: plan.name, code: 'SIZE_MISMATCH', actual: longer.length }])
      expect(whole).toBe(sha256(longer))
    }
  })

  test('takes an entry without a known digest for a fault', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const plan = await writeArchive(path, CONTENTS)
    const { faults } = await verifyArchive(
      path,
      plan,
      new Map([...DIGESTS].filter(([name]) => name !== 'one')),
    )
    expect(faults).toMatchObject([{ name: 'one', code: 'INDEX_MISMATCH', actual: DIGESTS.get('one') }])
  })

  test('counts the bytes, stops on a signal, names a file that is not there', async () => {
    using scratch = makeScratch()
    const path = join(scratch.path, 'a.tar')
    const plan = await writeArchive(path, CONTENTS)
    let counted = 0
    await verifyArchive(path, plan, DIGESTS, { onBytes: (count) => (counted += count) })
    expect(counted).toBe(plan.size)
    await expect(
      verifyArchive(path, plan, DIGESTS, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough')
    await expect(verifyArchive(join(scratch.path, 'none'), plan, DIGESTS)).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
    })
    await expect(verifyArchive(scratch.path, plan, DIGESTS)).rejects.toMatchObject({ code: 'INPUT_REFUSED' })
  })
})

test.each<[string, (plan: ArchivePlan) => ArchivePlan]>([
  [
    'an offset',
    (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, offset: entry.offset + 512 })) }),
  ],
  [
    'a header',
    (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, header: entry.header + 512 })) }),
  ],
  [
    'a size',
    (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, size: entry.size + 512 })) }),
  ],
  ['a negative offset', (plan) => ({ ...plan, entries: [{ ...plan.entries[0]!, offset: -512 }] })],
  ['the order', (plan) => ({ ...plan, entries: plan.entries.toReversed() })],
  ['a missing entry', (plan) => ({ ...plan, entries: plan.entries.slice(1) })],
  ['the whole size', (plan) => ({ ...plan, size: plan.size + 512 })],
])('a plan that contradicts itself by %s is refused, to write and to verify', async (_what, change) => {
  using scratch = makeScratch()
  const path = join(scratch.path, 'a.tar')
  const plan = change(await writeArchive(path, CONTENTS))
  await expect(verifyArchive(path, plan, DIGESTS)).rejects.toMatchObject({ code: 'INDEX_MISMATCH' })
  await expect(openArchive(join(scratch.path, 'b.tar'), plan)).rejects.toMatchObject({
    code: 'INDEX_MISMATCH',
  })
})

test('ArchiveChecker finds the same in pieces of any size', async () => {
  using scratch = makeScratch()
  const path = join(scratch.path, 'a.tar')
  const plan = await writeArchive(path, CONTENTS)
  const bytes = readFileSync(path)
  bytes[plan.entries[0]!.header + 1]! ^= 1
  bytes[plan.entries[2]!.offset + 400]! ^= 1
  const faultsIn = (piece: number) => {
    const checker = new ArchiveChecker(plan, DIGESTS)
    for (let at = 0; at < bytes.length; at += piece) checker.update(bytes.subarray(at, at + piece))
    return checker.end(bytes.length)
  }
  const whole = faultsIn(bytes.length)
  expect(whole.map(({ code }) => code)).toEqual(['ARCHIVE_MALFORMED', 'DIGEST_MISMATCH'])
  for (const piece of [1, 7, 511, 512, 513, 1000]) expect(faultsIn(piece)).toEqual(whole)
})
