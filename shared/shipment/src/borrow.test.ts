import fc from 'fast-check'
import { expect, test } from 'vitest'
import { borrow, type Holder } from './borrow.ts'

const holders = (...held: string[][]): Holder[] =>
  held.map((digests, index) => ({ sequence_number: index + 1, held: new Set(digests) }))

test('borrows from the newest holder and drops an older one that adds nothing', () => {
  const lenders = borrow(['a', 'b'], holders(['a', 'b'], ['a'], ['a', 'b']))
  expect([...lenders]).toEqual([
    ['a', 3],
    ['b', 3],
  ])
})

test('keeps an old sequence for what only it holds, and needs no other for what it holds besides', () => {
  const lenders = borrow(['a', 'b', 'c'], holders(['a', 'b'], ['b'], ['c']))
  expect(Object.fromEntries(lenders)).toEqual({ a: 1, b: 1, c: 3 })
})

test('drops a newer sequence only where an older one that has to stay covers it, oldest first', () => {
  // 1 holds everything but 2 and 3 together do as well: the oldest goes first.
  expect(new Set(borrow(['a', 'b'], holders(['a', 'b'], ['a'], ['b'])).values())).toEqual(new Set([2, 3]))
})

test('leaves out what nobody holds', () => {
  expect([...borrow(['a', 'z'], holders(['a']))]).toEqual([['a', 1]])
})

test('covers everything that can be had, from no redundant sequence, whatever the chain', () => {
  const digest = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
  fc.assert(
    fc.property(
      fc.uniqueArray(digest),
      fc.array(fc.uniqueArray(digest), { maxLength: 7 }),
      (needed, held) => {
        const chain = holders(...held)
        const lenders = borrow(needed, chain)
        const obtainable = needed.filter((one) => chain.some((holder) => holder.held.has(one)))
        expect([...lenders.keys()].sort()).toEqual([...obtainable].sort())
        const used = new Set(lenders.values())
        for (const [one, from] of lenders) {
          const having = chain
            .filter((holder) => used.has(holder.sequence_number) && holder.held.has(one))
            .map((holder) => holder.sequence_number)
          expect(from).toBe(Math.max(...having))
        }
        for (const dropped of used) {
          const rest = chain.filter(
            (holder) => used.has(holder.sequence_number) && holder.sequence_number !== dropped,
          )
          expect(obtainable.every((one) => rest.some((holder) => holder.held.has(one)))).toBe(false)
        }
      },
    ),
    { numRuns: 500 },
  )
})
