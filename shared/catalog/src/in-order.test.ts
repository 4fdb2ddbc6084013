import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { concatenated, inOrder } from './in-order.ts'

async function* from<T>(items: readonly T[]) {
  yield* items
}

test('results come in the order of the items, and no more than so many are worked on', async () => {
  let now = 0
  let most = 0
  const results = inOrder(from([5, 1, 4, 2, 3, 0]), 3, async (item) => {
    most = Math.max(most, (now += 1))
    await sleep(item * 5)
    now -= 1
    return item
  })
  expect(await Array.fromAsync(results)).toEqual([5, 1, 4, 2, 3, 0])
  expect(most).toBe(3)
})

test('an error comes when it is its turn', async () => {
  const seen: number[] = []
  const results = inOrder(from([1, 2, 3]), 3, async (item) => {
    if (item === 2) throw new Error('two')
    return item
  })
  await expect(async () => {
    for await (const result of results) seen.push(result)
  }).rejects.toThrow('two')
  expect(seen).toEqual([1])
})

test('streams come one after the other, and are begun ahead', async () => {
  const begun: string[] = []
  async function* stream(name: string) {
    begun.push(name)
    await sleep(5)
    yield `${name}1`
    yield `${name}2`
  }
  async function* streams() {
    for (const name of ['a', 'b', 'c', 'd']) yield stream(name)
  }
  const all = concatenated(streams(), 3)
  expect((await all.next()).value).toBe('a1')
  expect(begun).toEqual(['a', 'b', 'c'])
  expect(await Array.fromAsync(all)).toEqual(['a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2'])
})
