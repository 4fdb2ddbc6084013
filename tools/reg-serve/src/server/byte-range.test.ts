import { expect, test } from 'vitest'
import { byteRange, chunkRange } from './byte-range.ts'

test.each([
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=2-5', { start: 2, end: 5 }],
  ['bytes=2-500', { start: 2, end: 9 }],
  ['bytes=3-', { start: 3, end: 9 }],
  ['bytes=-4', { start: 6, end: 9 }],
  ['bytes=-400', { start: 0, end: 9 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', 'unsatisfiable'],
  ['bytes=0-1,3-4', undefined],
  ['bytes=-', undefined],
  ['lines=0-1', undefined],
  ['bytes=1e3-', undefined],
  [undefined, undefined],
])('%s of ten bytes', (header, expected) => {
  expect(byteRange(header, 10)).toEqual(expected)
})

test('nothing of an empty blob can be asked for', () => {
  expect(byteRange('bytes=0-', 0)).toBe('unsatisfiable')
  expect(byteRange('bytes=-1', 0)).toBe('unsatisfiable')
})

test('chunks say start and end', () => {
  expect(chunkRange('0-99')).toEqual({ start: 0, end: 99 })
  expect(chunkRange('bytes 5-5')).toEqual({ start: 5, end: 5 })
  for (const wrong of ['', '5', '5-', '-5', '9-5', '0-9/10', 'a-b']) expect(chunkRange(wrong)).toBeUndefined()
})
