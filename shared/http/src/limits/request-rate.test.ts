import { expect, test } from 'vitest'
import { requestRate } from './request-rate.ts'

test('requests are spread evenly', () => {
  const wait = requestRate(5)
  expect([1, 2, 3, 4].map(() => wait(1000))).toEqual([0, 150, 350, 550])
  expect(wait(10_000)).toBe(0)
})

test.each([0.5, 20, 3000])('%f a second over ten seconds', (perSecond) => {
  const wait = requestRate(perSecond)
  let [now, count] = [1000, 0]
  while (now < 11_000) {
    now += wait(now)
    count += 1
  }
  expect(count).toBeGreaterThanOrEqual(perSecond * 10)
  expect(count).toBeLessThanOrEqual(perSecond * 10 * 1.01 + 2)
})
