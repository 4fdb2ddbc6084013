import { expect, test } from 'vitest'
import { rateLimit } from './rate-limit.ts'

/** A clock that only sleeping moves. */
function clock() {
  let now = 1000
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms
    },
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('over any time as many bytes as the rate allows, and after a pause a quarter of a second more', async () => {
  const time = clock()
  const limit = rateLimit(1000, time)
  const begun = time.now()
  for (let n = 0; n < 100; n++) await limit(100)
  expect(time.now() - begun).toBeCloseTo(10_000)
  // A long pause is not made up for.
  time.pass(60_000)
  const resumed = time.now()
  for (let n = 0; n < 10; n++) await limit(100)
  expect(time.now() - resumed).toBeCloseTo(750)
})

test('those who share it get the rate together', async () => {
  const time = clock()
  const limit = rateLimit(1000, time)
  const begun = time.now()
  await Promise.all([1, 2, 3, 4].map(() => limit(500)))
  expect(time.now() - begun).toBeGreaterThanOrEqual(1750)
})

test('no rate, no wait', async () => {
  await rateLimit(undefined, { now: () => 0, sleep: () => Promise.reject(new Error('slept')) })(1e12)
})
