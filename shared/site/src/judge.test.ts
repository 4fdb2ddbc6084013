import { describe, expect, test } from 'vitest'
import { settle, withPending } from './chain-state.ts'
import { judge } from './judge.ts'
import type { JudgeInput, SitePolicy } from './judgement.ts'
import { linkOf } from './link.ts'
import { CHAIN, history, NOW, policy, shipment, stateAt } from './testing/index.ts'

const all = history(9)
const five = all.slice(0, 5)

const given = (
  changes: Omit<Partial<JudgeInput>, 'policy'> & { policy?: Partial<SitePolicy> },
): JudgeInput => ({
  chain: CHAIN,
  landed: five,
  state: stateAt(five),
  incoming: [all[5]!],
  ...changes,
  policy: policy(changes.policy),
})

describe('the state from which to go on', () => {
  test('is the one that is there, as it is', () => {
    const input = given({})
    expect(judge(input).state).toEqual(input.state)
  })

  test('of a site that knows nothing is made', () => {
    const { state } = judge(given({ landed: [], state: undefined, incoming: [all[0]!] }))
    expect(state).toMatchObject({ chain: CHAIN, signed: false, digests: [], last_seen: NOW.toISOString() })
    expect(state).not.toHaveProperty('mark')
  })

  test('has settled what a run that was killed left', () => {
    const state = withPending(stateAt(five), all[5]!, { now: NOW, signed: true })
    const link = linkOf(all[5]!)
    const published = judge(given({ state, landed: all.slice(0, 6), incoming: [all[6]!] })).state
    expect(published).toMatchObject({ mark: link, landed: link })
    expect(published.digests.at(-1)).toEqual(link)
    expect(published).not.toHaveProperty('pending')
    expect(judge(given({ state })).state).toEqual(stateAt(five))
  })

  test('is made anew from the content where that was accepted, and stays signed', () => {
    const three = five.slice(0, 3)
    const { state, overrides } = judge(
      given({ landed: three, incoming: [all[3]!], policy: { acceptStateReset: true } }),
    )
    expect(overrides).toEqual(['accept-state-reset'])
    expect(state).toEqual(stateAt(three))
    expect(state.signed).toBe(true)
  })

  test('takes over what was pushed before it was in the content directory', () => {
    const pushed = { ...stateAt(five), landed: undefined }
    expect(judge(given({ state: pushed })).state).toEqual(stateAt(five))
    const ahead = { ...stateAt(five), landed: linkOf(all[2]!) }
    expect(judge(given({ state: ahead })).state).toEqual(stateAt(five))
    // What it knows of a push is no content.
    const empty = judge(given({ state: pushed, landed: [], incoming: five }))
    expect(empty.land).toEqual(five)
    expect(empty.state).toEqual(pushed)
  })
})

test('a state remembers from the first step on that a signed shipment is landing', () => {
  const state = withPending(stateAt(five, { signed: false }), all[5]!, { now: NOW, signed: true })
  expect(state).toMatchObject({ signed: true, pending: linkOf(all[5]!), mark: linkOf(all[4]!) })
  expect(settle(state, all.slice(0, 6))).toEqual(stateAt(all.slice(0, 6)))
})

test('a gap names all that is missing, and the note all that was passed', () => {
  const thrown = (input: JudgeInput): unknown => {
    try {
      return judge(input)
    } catch (error) {
      return error
    }
  }
  expect(thrown(given({ incoming: [all[8]!] }))).toMatchObject({
    code: 'SEQ_GAP',
    details: { expected: 6, actual: 9, hint: expect.stringContaining('numbers 6 to 8') as string },
  })
  expect(thrown(given({ incoming: [all[5]!, all[7]!] }))).toMatchObject({
    code: 'SEQ_GAP',
    details: { expected: 7, actual: 8, hint: expect.stringContaining('number 7') as string },
  })
  const baseline = shipment(9, { previous: all[7], extra: { complete: true } })
  expect(judge(given({ incoming: [baseline] })).notes).toEqual([expect.stringContaining('numbers 6 to 8')])
  expect(judge(given({})).notes).toEqual([])
})

test('carried and known are told apart, all by number', () => {
  const link = { ...all[6]!, carried: false }
  const verdict = judge(given({ incoming: [all[7]!, link, all[5]!, all[4]!] }))
  expect(verdict.land).toEqual([all[5], all[7]])
  expect(verdict.headstones).toEqual([link])
  expect(verdict.known).toEqual([all[4]])
  expect(verdict.signed).toBe(true)
})

test('what was passed as a link alone may still land', () => {
  // Its metadata was here before: the site accepted it, and has no content of it.
  const state = stateAt(all.slice(0, 7))
  const verdict = judge(given({ state, landed: [...five, all[6]!], incoming: [all[5]!, all[6]!] }))
  expect(verdict.land).toEqual([all[5]])
})
