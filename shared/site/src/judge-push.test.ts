import { describe, expect, test } from 'vitest'
import { judgePush, type PushInput } from './judge-push.ts'
import type { Incoming, SitePolicy } from './judgement.ts'
import { linkOf } from './link.ts'
import { CHAIN, history, NOW, policy, shipment, stateAt } from './testing/index.ts'

const all = history(4)
const unsigned = all.map((one): Incoming => ({ ...one, signers: [] }))

const judged = (changes: Omit<Partial<PushInput>, 'policy'> & { policy?: Partial<SitePolicy> }) =>
  judgePush({ chain: CHAIN, present: all, pushed: all, ...changes, policy: policy(changes.policy) })
const code = (work: () => unknown): string => {
  try {
    return JSON.stringify(work())
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('what is pushed from a content directory', () => {
  test('needs no state, and gaps are no matter', () => {
    expect(judged({ pushed: [all[1]!, all[3]!] })).toEqual({
      signed: true,
      relied: all,
      overrides: [],
      older: undefined,
    })
  })

  test('is of the chain that the site takes, and one', () => {
    expect(code(() => judged({ policy: { takesChain: () => false } }))).toBe('SEQ_WRONG_CHAIN')
    const stranger = shipment(2, { extra: { chain: { ...CHAIN, name: 'other' } } })
    expect(code(() => judged({ present: [all[0]!, stranger] }))).toBe('SEQ_WRONG_CHAIN')
    const state = { ...stateAt(all), chain: { ...CHAIN, name: 'other' } }
    expect(code(() => judged({ state }))).toBe('SEQ_WRONG_CHAIN')
  })

  test('is signed, or vouched for by a later one that is there', () => {
    const vouched = [...unsigned.slice(0, 3), all[3]!]
    expect(judged({ present: vouched, pushed: [vouched[0]!] }).signed).toBe(true)
    expect(code(() => judged({ present: unsigned, pushed: [unsigned[0]!] }))).toBe('SIG_MISSING')
    // A later one that nobody pushes may be unsigned, and is not relied on.
    const later = [all[0]!, ...unsigned.slice(1)]
    expect(judged({ present: later, pushed: [all[0]!] }).relied).toEqual([all[0]])
    expect(judged({ present: [all[0]!, ...unsigned.slice(1)], pushed: [all[0]!] }).signed).toBe(true)
    expect(code(() => judged({ present: [all[0]!, unsigned[1]!, all[3]!], pushed: [unsigned[1]!] }))).toBe(
      'SIG_MISSING',
    )
  })

  test('needs no signature without a trust file, until the chain was signed once', () => {
    const none = { threshold: undefined }
    expect(judged({ present: unsigned, pushed: unsigned, policy: none }).signed).toBe(false)
    expect(judged({ state: stateAt(all, { signed: false }), policy: none }).signed).toBe(false)
    expect(code(() => judged({ state: stateAt(all.slice(0, 1)), policy: none }))).toBe('SIG_MISSING')
  })

  test('is for this site', () => {
    const other = shipment(5, { previous: all[3], extra: { site: ['plant-b'] } })
    expect(code(() => judged({ present: [...all, other], pushed: [other] }))).toBe('SEQ_WRONG_SITE')
    expect(judged({ present: [...all, other], pushed: [all[3]!] }).older).toBeUndefined()
    expect(judged({ present: [...all, other], pushed: [other], policy: { site: undefined } }).signed).toBe(
      true,
    )
  })

  test('is the history that the site knows, the neighbours, too', () => {
    const state = stateAt(history(3, { history: 'two' }))
    expect(code(() => judged({ state, pushed: [all[3]!] }))).toBe('SEQ_FORK')
  })

  test('is told to be older than the mark', () => {
    const state = stateAt(all)
    expect(judged({ state, pushed: all.slice(0, 2) }).older).toEqual(linkOf(all[3]!))
    expect(judged({ state, pushed: all }).older).toBeUndefined()
  })

  test('is not too old, nor by a clock that went back, unless that is allowed', () => {
    const expired = shipment(5, { previous: all[3], extra: { expires: NOW.toISOString() } })
    const given = { present: [...all, expired], pushed: [expired] }
    expect(code(() => judged(given))).toBe('SEQ_EXPIRED')
    expect(judged({ ...given, policy: { allowExpired: true } }).overrides).toEqual(['allow-expired'])
    expect(judged({ policy: { allowExpired: true } }).overrides).toEqual([])
    const back = new Date(NOW.getTime() - 6 * 60_000)
    expect(code(() => judged({ state: stateAt(all), policy: { now: back } }))).toBe('SEQ_CLOCK')
    expect(judged({ state: stateAt(all), policy: { now: back, allowExpired: true } }).overrides).toEqual([
      'allow-expired',
    ])
    const early = new Date(Date.UTC(2025, 11, 1))
    expect(code(() => judged({ policy: { now: early } }))).toBe('SEQ_CLOCK')
  })
})
