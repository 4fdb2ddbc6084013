import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { limit } from './limit.ts'

test('never more than its places, in the order of the calls', async () => {
  const two = limit(2)
  const order: number[] = []
  let running = 0
  let most = 0
  await Promise.all(
    [5, 1, 1, 1].map((ms, index) =>
      two(async () => {
        order.push(index)
        most = Math.max(most, (running += 1))
        await wait(ms)
        running -= 1
      }),
    ),
  )
  expect({ order, most }).toEqual({ order: [0, 1, 2, 3], most: 2 })
})

test('a failing task gives its place back', async () => {
  const one = limit(1)
  await expect(one(() => Promise.reject(new Error('x')))).rejects.toThrow('x')
  await expect(one(async () => 'y')).resolves.toBe('y')
})

test('an aborted wait leaves the queue and takes no place', async () => {
  const one = limit(1)
  const gate = Promise.withResolvers<void>()
  const first = one(() => gate.promise)
  const controller = new AbortController()
  const second = one(async () => 'never', controller.signal)
  const third = one(async () => 'third')
  controller.abort(new Error('stop'))
  await expect(second).rejects.toThrow('stop')
  gate.resolve()
  await first
  await expect(third).resolves.toBe('third')
  await expect(one(async () => 'x', controller.signal)).rejects.toThrow('stop')
  await expect(one(async () => 'free')).resolves.toBe('free')
})
