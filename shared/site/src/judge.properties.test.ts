import { isCarryallError } from '@carryall/errors'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChainState } from '@carryall/schemas'
import { freshState, raise, withPending } from './chain-state.ts'
import { judge } from './judge.ts'
import type { Incoming } from './judgement.ts'
import { CHAIN, NOW, policy, shipment } from './testing/index.ts'

const LAST = 8
/** Two histories of one chain that part after this number. */
const COMMON = 3
const one = chain('one', [])
const two = chain('two', one.slice(0, COMMON))

function chain(words: string, start: readonly Incoming[]): readonly Incoming[] {
  const all = [...start]
  while (all.length < LAST) all.push(shipment(all.length + 1, { history: words, previous: all.at(-1) }))
  return all
}

/** A set that comes: numbers `first` to `last` of a history; and after how many steps of its landing the power fails. */
const arrival = fc
  .record({
    history: fc.constantFrom('one', 'two'),
    first: fc.integer({ min: 1, max: LAST }),
    length: fc.integer({ min: 1, max: 4 }),
    cutAfter: fc.option(fc.integer({ min: 0, max: 8 }), { nil: Infinity }),
  })
  .map(({ first, length, ...rest }) => ({ first, last: Math.min(LAST, first + length - 1), ...rest }))

type Arrival = typeof arrival extends fc.Arbitrary<infer T> ? T : never

/** The rules once more, by nothing but numbers and letters: what is known is a string such as `CCC1`. */
class Model {
  known = ''

  verdict({ history, first, last }: Arrival): string {
    const letters = Array.from({ length: LAST }, (_, at) => (at < COMMON ? 'C' : history)).map((w) =>
      w.at(-1),
    )
    const mine = letters.join('')
    for (let at = Math.max(first - 2, 0); at < last; at++)
      if (at < this.known.length && this.known[at] !== mine[at]) return 'SEQ_FORK'
    if (first > this.known.length + 1) return 'SEQ_GAP'
    if (last < this.known.length) return 'SEQ_ROLLBACK'
    return 'accepted'
  }

  landed(history: string, number: number): void {
    if (number > this.known.length) this.known += number <= COMMON ? 'C' : history.at(-1)!
  }
}

/** A site: what is on its disk. Landing takes steps, and the power may fail after each. */
class Site {
  state: ChainState | undefined
  landed: Incoming[] = []

  take(given: readonly Incoming[], cutAfter: number, landed: (number: number) => void): string {
    let steps = 0
    const step = (work: () => void): void => {
      if (steps++ < cutAfter) work()
    }
    try {
      const verdict = judge({
        chain: CHAIN,
        state: this.state,
        landed: this.landed,
        incoming: given,
        policy: policy(),
      })
      const options = { now: NOW, signed: true, landed: true }
      let { state } = verdict
      for (const next of verdict.land) {
        step(() => (this.state = state = withPending(state, next, options)))
        step(() => {
          this.landed = [...this.landed, next]
          landed(next.metadata.sequence_number)
        })
        step(() => (this.state = state = raise(state, next, options)))
      }
      return 'accepted'
    } catch (error) {
      if (isCarryallError(error)) return error.code
      throw error
    }
  }
}

test('sets in any order, cut anywhere, are judged as the model says, and no mark goes down', () => {
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 12 }), (arrivals) => {
      const [site, model] = [new Site(), new Model()]
      for (const given of arrivals) {
        const before = site.state
        const expected = model.verdict(given)
        const set = (given.history === 'one' ? one : two).slice(given.first - 1, given.last)
        expect(site.take(set, given.cutAfter, (number) => model.landed(given.history, number))).toBe(expected)
        const after = site.state
        if (expected !== 'accepted') expect(after).toBe(before)
        expect(after?.mark?.sequence_number ?? 0).toBeGreaterThanOrEqual(before?.mark?.sequence_number ?? 0)
        expect(new Set(after?.digests.map((link) => link.sequence_number)).size).toBe(
          after?.digests.length ?? 0,
        )
        for (const link of before?.digests ?? []) expect(after?.digests).toContainEqual(link)
        // What landed is one history, from its first number without a hole.
        expect(site.landed.map((shipped) => shipped.metadata.sequence_number)).toEqual(
          site.landed.map((_, index) => index + 1),
        )
        site.landed.forEach((shipped, index) =>
          expect(shipped.metadata.previous).toBe(site.landed[index - 1]?.metadataDigest),
        )
      }
    }),
    { numRuns: 1500 },
  )
})

test('raising in any order never lowers mark, landed or last_seen, forgets no digest and stays signed', () => {
  const step = fc.record({
    number: fc.integer({ min: 1, max: LAST }),
    history: fc.constantFrom(one, two),
    minutes: fc.integer({ min: -1000, max: 1000 }),
    signed: fc.boolean(),
    landed: fc.boolean(),
    pending: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let state = freshState(CHAIN, NOW)
      for (const { number, history, minutes, pending, ...flags } of steps) {
        const next = history[number - 1]!
        const now = new Date(NOW.getTime() + minutes * 60_000)
        const known = state.digests.find((link) => link.sequence_number === number)
        if (known !== undefined && known.metadata_digest !== next.metadataDigest) {
          expect(() => raise(state, next, { now, ...flags })).toThrow(
            expect.objectContaining({ code: 'SEQ_FORK' }),
          )
          continue
        }
        if (pending) state = withPending(state, next, { now, signed: flags.signed })
        const after = raise(state, next, { now, ...flags })
        expect(after.mark!.sequence_number).toBe(Math.max(state.mark?.sequence_number ?? 0, number))
        expect(after.landed?.sequence_number ?? 0).toBe(
          Math.max(state.landed?.sequence_number ?? 0, flags.landed ? number : 0),
        )
        expect(after.last_seen >= state.last_seen).toBe(true)
        expect(after.signed).toBe(state.signed || flags.signed)
        expect(after.pending).toBeUndefined()
        expect(after.digests).toEqual(expect.arrayContaining([...state.digests]))
        expect(after.digests.map((link) => link.sequence_number)).toEqual(
          after.digests.map((link) => link.sequence_number).toSorted((a, b) => a - b),
        )
        state = after
      }
    }),
  )
})
