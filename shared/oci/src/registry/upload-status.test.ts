import { expect, test } from 'vitest'
import { takenBy } from './upload-status.ts'

test.each([
  ['0-0', [0]],
  ['0-1', [2]],
  ['0-1048575', [1_048_576]],
  ['bytes=0--1', [0]],
  ['bytes=0-0', [0]],
  ['bytes=0-1048576', [1_048_576, 1_048_577]],
  [undefined, []],
  ['', []],
  ['1-5', []],
  ['0-', []],
  ['0--2', []],
  ['0-1, 5-6', []],
  ['0-9999999999999999', []],
  ['bytes 0-5/6', []],
] as const)('%s says that %j bytes have come', (range, taken) => {
  expect(takenBy(range)).toEqual(taken)
})
