import { CarryallError } from '@carryall/errors'
import { expect, test } from 'vitest'
import { type Retry, type RetryPolicy, retryPolicy, withRetry } from './retry.ts'

const busy = (retryAfterMs?: number) =>
  new CarryallError('NET_UNAVAILABLE', 'Busy', {
    retryable: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })

/** Runs an action that always fails and tells how long was waited. */
async function waits(options: Partial<RetryPolicy>, error: Error = busy()) {
  const slept: number[] = []
  const retries: Retry[] = []
  let attempts = 0
  const policy = retryPolicy({
    random: () => 0.999999,
    sleep: async (ms) => void slept.push(ms),
    onRetry: (retry) => retries.push(retry),
    ...options,
  })
  const action = async () => {
    attempts += 1
    throw error
  }
  await expect(withRetry(policy, action)).rejects.toBe(error)
  return { slept, attempts, retries }
}

test('five times, doubling from 500 ms', async () => {
  const { slept, attempts, retries } = await waits({})
  expect(slept).toEqual([500, 1000, 2000, 4000, 8000])
  expect(attempts).toBe(6)
  expect(retries.map(({ attempt, left }) => [attempt, left])).toEqual([
    [1, 5],
    [2, 4],
    [3, 3],
    [4, 2],
    [5, 1],
  ])
})

test('never longer than 30 s, and by full jitter down to nothing', async () => {
  expect((await waits({ times: 9 })).slept.slice(-3)).toEqual([30_000, 30_000, 30_000])
  expect((await waits({ times: 2, random: () => 0 })).slept).toEqual([0, 0])
})

test('a fixed delay is kept', async () => {
  expect((await waits({ times: 3, delayMs: 7 })).slept).toEqual([7, 7, 7])
})

test('what the server asks for is the least', async () => {
  expect((await waits({ times: 2 }, busy(1500))).slept).toEqual([1500, 1500])
  expect((await waits({ times: 1, delayMs: 9000 }, busy(1500))).slept).toEqual([9000])
})

test.each([new CarryallError('AUTH_DENIED', 'No'), new TypeError('bug')])(
  '%s is not repeated',
  async (error) => {
    expect((await waits({}, error)).attempts).toBe(1)
  },
)

test('an abort ends the wait with its reason', async () => {
  const controller = new AbortController()
  const policy = retryPolicy({ delayMs: 60_000, onRetry: () => controller.abort(new Error('stop')) })
  await expect(withRetry(policy, () => Promise.reject(busy()), controller.signal)).rejects.toThrow('stop')
})
