import { expect, test } from 'vitest'
import { singleFlight } from './single-flight.ts'

test('calls of one key share one run and its failure, then start anew', async () => {
  const share = singleFlight<number>()
  let runs = 0
  const call = async () => {
    runs += 1
    if (runs === 1) throw new Error('first')
    return runs
  }
  const both = await Promise.allSettled([share('a', call), share('a', call)])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(runs).toBe(1)
  expect(await Promise.all([share('a', call), share('b', call)])).toEqual([2, 3])
})

test('a call that throws at once is a rejection', async () => {
  const share = singleFlight<number>()
  const call = () => {
    throw new Error('sync')
  }
  await expect(share('a', call)).rejects.toThrow('sync')
})
