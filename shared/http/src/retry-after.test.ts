import { expect, test } from 'vitest'
import { retryAfter } from './retry-after.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')

test.each([
  ['3', 3000],
  [' 3 ', 3000],
  ['0', undefined],
  ['99999', 300_000],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
  ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
  ['Thursday, 01-Jan-26 00:00:10 GMT', 10_000],
  ['Thu, 01 Jan 2026 23:00:00 GMT', 300_000],
  ['Wed, 31 Dec 2025 23:59:59 GMT', undefined],
  ['999999999999999999999999', undefined],
])('%j asks for %j ms', (header, expected) => {
  expect(retryAfter(header, NOW)).toBe(expected)
})
