import fc from 'fast-check'
import { expect, test } from 'vitest'
import { framing } from './framing.ts'
import { entryAt } from './entry-at.ts'
import { planArchives } from './plan-archives.ts'
import { tarHeader } from './tar-header.ts'
import { arbitraryContents } from './testing/arbitrary-contents.ts'

const entries = arbitraryContents.map((contents) =>
  contents.map(({ name, data }) => ({ name, size: data.length })),
)

test('covers every byte once, keeps the order and the limit', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 20_000 }), (wanted, maxBytes) => {
      const plans = planArchives(wanted, { maxBytes })
      expect(plans.flatMap((plan) => plan.entries.map(({ name, size }) => ({ name, size })))).toEqual(wanted)
      expect(plans.map((plan) => plan.name)).toEqual(
        plans.map((_, index) => `mirror_${String(index + 1).padStart(6, '0')}.tar`),
      )
      for (const plan of plans) {
        expect(plan.size <= maxBytes || plan.entries.length <= 1).toBe(true)
        let position = 0
        const frames = [...framing(plan)]
        for (const [index, frame] of frames.entries()) {
          expect(frame.position).toBe(position)
          position += frame.bytes.length
          const entry = plan.entries[index]
          if (entry === undefined) continue
          expect(entry.offset).toBe(position)
          expect(entry.header).toBe(position - tarHeader(entry).length)
          position += entry.size
          expect(entryAt(plan, entry.header)).toBe(entry)
          expect(entryAt(plan, position - 1)).toBe(entry)
        }
        expect(position).toBe(plan.size)
      }
      // The limit is counted exactly: what begins an archive would not have fitted into the one before.
      for (const [index, plan] of plans.slice(1).entries()) {
        const first = plan.entries[0]!
        const next = planArchives([...plans[index]!.entries, first])[0]!
        expect(next.size).toBeGreaterThan(maxBytes)
      }
    }),
    { numRuns: 200 },
  )
})

test('fills an archive to the last byte of the limit', () => {
  const two = [
    { name: 'a', size: 512 },
    { name: 'b', size: 512 },
  ]
  expect(planArchives(two, { maxBytes: 3072 }).map((plan) => plan.size)).toEqual([3072])
  expect(planArchives(two, { maxBytes: 3071 }).map((plan) => plan.size)).toEqual([2048, 2048])
})

test('plans one empty archive for nothing', () => {
  expect(planArchives([])).toEqual([{ name: 'mirror_000001.tar', size: 1024, entries: [] }])
})

test('gives an entry that is too large an archive of its own, or refuses it by name', () => {
  const three = [
    { name: 'a', size: 1 },
    { name: 'huge', size: 10_000 },
    { name: 'z', size: 1 },
  ]
  expect(planArchives(three, { maxBytes: 4096 }).map((plan) => plan.entries.map(({ name }) => name))).toEqual(
    [['a'], ['huge'], ['z']],
  )
  expect(() => planArchives(three, { maxBytes: 4096, strict: true })).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      details: expect.objectContaining({
        subject: { kind: 'file', name: 'huge' },
        expected: 4096,
        actual: 11_776,
      }) as object,
    }) as Error,
  )
})

test('refuses one name twice, also in another normalisation', () => {
  expect(() =>
    planArchives([
      { name: 'ä', size: 1 },
      { name: 'a\u0308', size: 1 },
    ]),
  ).toThrow(RangeError)
})
