import { expect, test } from 'vitest'
import { CHUNK_BYTES, UploadStyle } from './upload-style.ts'

const MIB = 1 << 20
const GIB = 1 << 30
const style = () => new UploadStyle(CHUNK_BYTES)

test('all goes out whole until a registry shows otherwise', () => {
  expect(style().takesWhole(100 * GIB)).toBe(true)
  expect(style().chunk).toBe(Number.POSITIVE_INFINITY)
})

test('what it asks for is the least, the default the most', () => {
  const asked = style()
  asked.wantsChunks(5 * MIB)
  expect(asked.chunk).toBe(CHUNK_BYTES)
  expect([asked.takesWhole(CHUNK_BYTES), asked.takesWhole(CHUNK_BYTES + 1)]).toEqual([true, false])
  asked.wantsChunks(100 * MIB)
  expect(asked.chunk).toBe(100 * MIB)
  expect(asked.tooLarge(100 * MIB)).toBe(false)
})

test('too large is cut to a quarter, down to a MiB', () => {
  const limited = style()
  const chunks = [3 * GIB, 64 * MIB, 16 * MIB, 4 * MIB].map((bytes) => [
    limited.tooLarge(bytes),
    limited.chunk,
  ])
  expect(chunks).toEqual([64, 16, 4, 1].map((mib) => [true, mib * MIB]))
  expect(limited.tooLarge(MIB)).toBe(false)
})

test('who refuses both ways is not asked for ever', () => {
  const neither = style()
  expect([neither.refusedWhole(), neither.takesWhole(0), neither.chunk]).toEqual([true, false, CHUNK_BYTES])
  expect(neither.refusedPatch()).toBe(false)
  const whole = style()
  whole.wantsChunks(MIB)
  expect([whole.refusedPatch(), whole.resumes, whole.takesWhole(GIB)]).toEqual([true, false, true])
  whole.wantsChunks(MIB)
  expect([whole.refusedWhole(), whole.tooLarge(GIB), whole.takesWhole(GIB)]).toEqual([false, false, true])
  const small = style()
  expect([small.tooLarge(GIB), small.refusedPatch()]).toEqual([true, false])
})

test('a PUT that leaves nothing behind is for small blobs', () => {
  const forgets = style()
  forgets.forgotWhole()
  expect([CHUNK_BYTES, CHUNK_BYTES + 1].map((size) => forgets.takesWhole(size))).toEqual([true, false])
  expect(forgets.chunk).toBe(Number.POSITIVE_INFINITY)
})

test.each([
  ['the same byte', { bytes: 100 * MIB, ms: 10 }, { bytes: 105 * MIB, ms: 9000 }, 50],
  ['the same time', { bytes: 500 * MIB, ms: 900_000 }, { bytes: 300 * MIB, ms: 905_000 }, 64],
  ['other bytes and times', { bytes: 100 * MIB, ms: 20_000 }, { bytes: 150 * MIB, ms: 40_000 }, undefined],
  ['little', { bytes: 1000, ms: 10 }, { bytes: 1000, ms: 10 }, undefined],
])('two breaks after %s', (_what, one, other, mib) => {
  const broken = style()
  broken.broke(one, other)
  expect(broken.chunk).toBe(mib === undefined ? Number.POSITIVE_INFINITY : mib * MIB)
})
