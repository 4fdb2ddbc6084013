import fc from 'fast-check'
import { expect, test } from 'vitest'
import { humanSize } from './human-size.ts'

test.each([
  [0, '0'],
  [1, '1'],
  [512, '512'],
  [999, '999'],
  [1000, '1.0K'],
  [1049, '1.0K'],
  [1050, '1.1K'],
  [9949, '9.9K'],
  [9950, '10K'],
  [10_499, '10K'],
  [999_499, '999K'],
  [999_500, '1.0M'],
  [4_294_967_296, '4.3G'],
  [5_500_000_000, '5.5G'],
  [22_000_000_000, '22G'],
  [29_500_000_000, '30G'],
  [1.5e12, '1.5T'],
  [9e15, '9.0P'],
])('humanSize(%i) is %s', (bytes, shown) => {
  expect(humanSize(bytes)).toBe(shown)
})

test('a human size is within 5 percent, at most four characters, and never falls while bytes grow', () => {
  const value = (text: string): number =>
    Number.parseFloat(text) * 1000 ** ' KMGTP'.indexOf(/[KMGTP]$/.exec(text)?.[0] ?? ' ')
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), fc.nat(), (bytes, more) => {
      const shown = humanSize(bytes)
      expect(shown).toMatch(/^(\d{1,3}|\d\.\d[KMGTP]|\d{2,3}[KMGTP])$/)
      expect(Math.abs(value(shown) - bytes)).toBeLessThanOrEqual(bytes * 0.051)
      expect(value(humanSize(bytes + more))).toBeGreaterThanOrEqual(value(shown))
    }),
    { numRuns: 1000 },
  )
})
