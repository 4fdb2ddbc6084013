import { expect, test } from 'vitest'
import { compete } from './compete.ts'
import type { Contest, Side } from './contest.ts'
import { spread } from './spread.ts'

test('the median of an even number is between the two in the middle', () => {
  expect(spread([9, 1, 4, 2])).toEqual({ median: 3, min: 1, max: 9 })
  expect(spread([3])).toEqual({ median: 3, min: 3, max: 3 })
  expect(() => spread([])).toThrow(RangeError)
})

function side(name: string, seconds: readonly number[], peakMegabytes: number, log: string[]): Side {
  const left = [...seconds]
  return {
    name,
    run: () => {
      log.push(name)
      return Promise.resolve({ wallSeconds: left.shift()!, cpuSeconds: 1, peakMegabytes })
    },
  }
}

function contest(log: string[], limits: Pick<Contest, 'goal' | 'memoryGoal'>): Contest {
  // The first run, the warm-up, is an outlier.
  const own = side('own', [100, 1, 3, 2], 150, log)
  return { letter: 'a', title: 'test', own, peer: side('peer', [100, 4, 4, 8], 20, log), ...limits }
}

test('both run in turn after a warm-up that does not count', async () => {
  const log: string[] = []
  const result = await compete(contest(log, { goal: 0.5, memoryGoal: 150 }), 3, () => undefined)
  expect(log.join(' ')).toBe('own peer peer own own peer peer own')
  expect(result.own.wallSeconds).toEqual({ median: 2, min: 1, max: 3 })
  expect(result).toMatchObject({ ratio: 0.5, met: true })
})

test.each([{ goal: 0.49 }, { memoryGoal: 149 }])('it is missed beyond %o', async (limits) => {
  expect(await compete(contest([], limits), 3, () => undefined)).toMatchObject({ met: false })
})

test('without a goal there is nothing to miss', async () => {
  expect(await compete(contest([], {}), 3, () => undefined)).not.toHaveProperty('met')
})
