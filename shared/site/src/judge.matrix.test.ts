import { CarryallError, isCarryallError, type ErrorCode } from '@carryall/errors'
import { describe, expect, test } from 'vitest'
import { withPending } from './chain-state.ts'
import { judge } from './judge.ts'
import type { Incoming, JudgeInput, SitePolicy } from './judgement.ts'
import { linkOf } from './link.ts'
import { CHAIN, history, KEY, NOW, policy, shipment, stateAt, type ShipmentOptions } from './testing/index.ts'

const OTHER = { id: '00000000-0000-4000-8000-000000000002', name: 'sample' }
const KEY2 = 'B'.repeat(40)
const HOUR = 60 * 60 * 1000

const real = history(9)
const other = history(9, { history: 'two' })
/** Number `n` of the real history; nothing before the first. */
const at = (number: number): Incoming | undefined => real[number - 1]
const upTo = (last: number): readonly Incoming[] => real.slice(0, last)
const range = (first: number, last: number): readonly Incoming[] => real.slice(Math.max(first - 1, 0), last)

/** Number `n` of the real history with something else about it. */
const like = (number: number, options: ShipmentOptions): Incoming =>
  shipment(number, { previous: at(number - 1), ...options })
const unsigned = (one: Incoming): Incoming => ({ ...one, signers: [] })
const meta = (one: Incoming): Incoming => ({ ...one, carried: false })
const bad = (one: Incoming, code: ErrorCode): Incoming => ({
  ...one,
  signers: [],
  signatureFaults: [new CarryallError(code, 'It is bad', { hint: 'Have it signed again' })],
})

type Site = Pick<JudgeInput, 'landed'> & { state?: JudgeInput['state'] }
type Given = Partial<Omit<JudgeInput, 'policy'>> & {
  readonly incoming: readonly Incoming[]
  readonly policy?: Partial<SitePolicy>
}

const STATES = {
  empty: { newest: 0, site: { landed: [] } },
  'at 1': { newest: 1, site: { landed: upTo(1), state: stateAt(upTo(1)) } },
  'at 5': { newest: 5, site: { landed: upTo(5), state: stateAt(upTo(5)) } },
  'at 5, cut before 6 was published': {
    newest: 5,
    site: { landed: upTo(5), state: withPending(stateAt(upTo(5)), at(6)!, { now: NOW, signed: true }) },
  },
  'at 6, cut after it was published': {
    newest: 6,
    site: { landed: upTo(6), state: withPending(stateAt(upTo(5)), at(6)!, { now: NOW, signed: true }) },
  },
} satisfies Record<string, { newest: number; site: Site }>

/** `+1` lands the next number, `+1 +2` two; `+1m` records its metadata; `nothing` is all known; after `!` the overrides. */
type Expected = string

/** One for all states, or one for each: empty, at 1, at 5, cut before, cut after. */
interface Row {
  readonly input: string
  readonly give: (newest: number, site: Site) => Given
  readonly expected: Expected | readonly [Expected, Expected, Expected, Expected, Expected]
}

const rows: readonly Row[] = [
  // What comes.
  { input: 'the next', give: (n) => ({ incoming: [at(n + 1)!] }), expected: '+1' },
  { input: 'the next two', give: (n) => ({ incoming: range(n + 1, n + 2) }), expected: '+1 +2' },
  {
    input: 'the next two, in disorder',
    give: (n) => ({ incoming: [at(n + 2)!, at(n + 1)!] }),
    expected: '+1 +2',
  },
  { input: 'the next with what is here', give: (n) => ({ incoming: range(n, n + 1) }), expected: '+1' },
  { input: 'all from number 1', give: (n) => ({ incoming: upTo(n + 1) }), expected: '+1' },
  {
    input: 'the metadata of the next, and the one after it',
    give: (n) => ({ incoming: [meta(at(n + 1)!), at(n + 2)!] }),
    expected: '+1m +2',
  },
  {
    input: 'the same again',
    give: (n) => ({ incoming: [at(Math.max(n, 1))!] }),
    expected: ['+1', ...four('nothing')],
  },
  {
    input: 'all that is here again',
    give: (n) => ({ incoming: upTo(Math.max(n, 1)) }),
    expected: ['+1', ...four('nothing')],
  },
  {
    input: 'an older one',
    give: (n) => ({ incoming: [at(Math.max(n - 1, 1))!] }),
    expected: ['+1', 'nothing', 'SEQ_ROLLBACK', 'SEQ_ROLLBACK', 'SEQ_ROLLBACK'],
  },
  {
    input: 'an old set',
    give: (n) => ({ incoming: upTo(Math.max(n - 2, 1)) }),
    expected: ['+1', 'nothing', 'SEQ_ROLLBACK', 'SEQ_ROLLBACK', 'SEQ_ROLLBACK'],
  },
  { input: 'an empty set', give: () => ({ incoming: [] }), expected: 'INPUT_EMPTY' },

  // Gaps.
  { input: 'the one after the next', give: (n) => ({ incoming: [at(n + 2)!] }), expected: 'SEQ_GAP' },
  { input: 'a set with a hole', give: (n) => ({ incoming: [at(n + 1)!, at(n + 3)!] }), expected: 'SEQ_GAP' },
  {
    input: 'a signed baseline behind a gap',
    give: (n) => ({ incoming: [like(n + 3, { extra: { complete: true } })] }),
    expected: '+3',
  },
  {
    input: 'a baseline behind a gap, vouched for by the one after it alone',
    give: (n) => {
      const baseline = unsigned(like(n + 3, { extra: { complete: true } }))
      return { incoming: [baseline, shipment(n + 4, { previous: baseline })] }
    },
    expected: 'SEQ_GAP',
  },
  {
    input: 'an unsigned baseline behind a gap',
    give: (n) => ({ incoming: [unsigned(like(n + 3, { extra: { complete: true } }))] }),
    expected: 'SIG_MISSING',
  },
  {
    input: 'a baseline behind a gap, without a trust file, on a chain that was never signed',
    give: (n, { landed }) => ({
      incoming: [unsigned(like(n + 3, { extra: { complete: true } }))],
      policy: { threshold: undefined },
      state: n === 0 ? undefined : stateAt(landed, { signed: false }),
    }),
    expected: ['+3 unsigned', ...four('SEQ_GAP')],
  },
  {
    input: 'a gap, with --accept-state-reset',
    give: (n) => ({ incoming: [at(n + 2)!], policy: { acceptStateReset: true } }),
    expected: ['+2 ! accept-state-reset', ...four('SEQ_GAP')],
  },

  // Other histories.
  {
    input: 'another of the same number',
    give: (n) => ({ incoming: [like(Math.max(n, 1), { history: 'two' })] }),
    expected: ['+1', ...four('SEQ_FORK')],
  },
  {
    input: 'another of an older number',
    give: (n) => ({ incoming: [like(Math.max(n - 1, 1), { history: 'two' })] }),
    expected: ['+1', ...four('SEQ_FORK')],
  },
  {
    input: 'another history from number 1, and longer',
    give: (n) => ({ incoming: other.slice(0, n + 1) }),
    expected: ['+1', ...four('SEQ_FORK')],
  },
  {
    input: 'the next of another history',
    give: (n) => ({ incoming: [other[n]!] }),
    expected: ['+1', ...four('SEQ_FORK')],
  },
  {
    input: 'one that continues what nobody knows',
    give: (n) => ({ incoming: [shipment(n + 1, { previous: `sha256:${'0'.repeat(64)}` })] }),
    expected: 'SEQ_FORK',
  },
  {
    input: 'one that names no predecessor',
    give: (n) => ({ incoming: [shipment(n + 1)] }),
    expected: ['+1', ...four('SEQ_FORK')],
  },
  {
    input: 'a set that continues, and then does not',
    give: (n) => ({ incoming: [at(n + 1)!, other[n + 1]!] }),
    expected: 'SEQ_FORK',
  },
  {
    input: 'two of one number',
    give: (n) => ({ incoming: [at(n + 1)!, like(n + 1, { history: 'two' })] }),
    expected: 'SEQ_FORK',
  },
  {
    input: 'metadata swapped for other, under a signed one',
    give: (n) => ({ incoming: [unsigned(like(n + 1, { history: 'swapped' })), at(n + 2)!] }),
    expected: 'SIG_MISSING',
  },
  {
    input: 'metadata swapped for other, without a trust file',
    give: (n, { landed }) => ({
      incoming: [like(n + 1, { history: 'swapped' }), at(n + 2)!],
      policy: { threshold: undefined },
      state: n === 0 ? undefined : stateAt(landed, { signed: false }),
    }),
    expected: 'SEQ_FORK',
  },

  // Other chains, other sites.
  {
    input: 'another chain of that name',
    give: (n) => ({ incoming: [like(n + 1, { extra: { chain: OTHER } })] }),
    expected: 'SEQ_WRONG_CHAIN',
  },
  {
    input: 'the chain under another name',
    give: (n) => ({ incoming: [like(n + 1, { extra: { chain: { ...CHAIN, name: 'renamed' } } })] }),
    expected: 'SEQ_WRONG_CHAIN',
  },
  {
    input: 'another chain among them',
    give: (n) => ({ incoming: [like(n + 1, { extra: { chain: OTHER } }), at(n + 2)!] }),
    expected: 'SEQ_WRONG_CHAIN',
  },
  {
    input: 'a chain that the trust file does not list',
    give: (n) => ({ incoming: [at(n + 1)!], policy: { takesChain: (id) => id === OTHER.id } }),
    expected: 'SEQ_WRONG_CHAIN',
  },
  {
    input: 'a chain whose name another one has in the content directory',
    give: (n) => ({
      incoming: [like(n + 1, { extra: { chain: OTHER } })],
      chain: OTHER,
      state: undefined,
    }),
    expected: ['+1', ...four('SEQ_WRONG_CHAIN')],
  },
  {
    input: 'one for other sites',
    give: (n) => ({ incoming: [like(n + 1, { extra: { site: ['plant-b', 'plant-c'] } })] }),
    expected: 'SEQ_WRONG_SITE',
  },
  {
    input: 'one for this site and others',
    give: (n) => ({ incoming: [like(n + 1, { extra: { site: ['plant-b', 'plant-a'] } })] }),
    expected: '+1',
  },
  {
    input: 'one for other sites, as a link alone',
    give: (n) => {
      const link = meta(like(n + 1, { extra: { site: ['plant-b'] } }))
      return { incoming: [link, shipment(n + 2, { previous: link })] }
    },
    expected: '+1m +2',
  },

  // Age.
  {
    input: 'one that has expired',
    give: (n) => ({ incoming: [like(n + 1, { extra: { expires: NOW.toISOString() } })] }),
    expected: 'SEQ_EXPIRED',
  },
  {
    input: 'one that has expired, with --allow-expired',
    give: (n) => ({
      incoming: [like(n + 1, { extra: { expires: NOW.toISOString() } })],
      policy: { allowExpired: true },
    }),
    expected: '+1 ! allow-expired',
  },
  {
    input: 'one that expires in a moment',
    give: (n) => ({
      incoming: [like(n + 1, { extra: { expires: new Date(NOW.getTime() + 1).toISOString() } })],
      policy: { allowExpired: true },
    }),
    expected: '+1',
  },
  {
    input: 'an earlier one that has expired',
    give: (n) => {
      const early = like(n + 1, { extra: { expires: NOW.toISOString() } })
      return { incoming: [early, shipment(n + 2, { previous: early })] }
    },
    expected: '+1 +2',
  },
  {
    input: 'one of the day after tomorrow',
    give: (n) => ({
      incoming: [
        like(n + 1, { extra: { timestamp: new Date(NOW.getTime() + 24 * HOUR + 1).toISOString() } }),
      ],
    }),
    expected: 'SEQ_CLOCK',
  },
  {
    input: 'one of tomorrow',
    give: (n) => ({
      incoming: [like(n + 1, { extra: { timestamp: new Date(NOW.getTime() + 24 * HOUR).toISOString() } })],
    }),
    expected: '+1',
  },
  {
    input: 'the next, when the clock has gone back',
    give: (n) => ({ incoming: [at(n + 1)!], policy: { now: new Date(NOW.getTime() - 5 * 60_000 - 1) } }),
    expected: ['+1', ...four('SEQ_CLOCK')],
  },
  {
    input: 'the next, when the clock was set right by some minutes',
    give: (n) => ({ incoming: [at(n + 1)!], policy: { now: new Date(NOW.getTime() - 5 * 60_000) } }),
    expected: '+1',
  },
  {
    input: 'the next, when the clock was wrong before, with --accept-state-reset',
    give: (n) => ({
      incoming: [at(n + 1)!],
      policy: { now: new Date(NOW.getTime() - 24 * HOUR), acceptStateReset: true },
    }),
    expected: [
      '+1',
      '+1 ! accept-state-reset',
      '+1 ! accept-state-reset',
      '+1 ! accept-state-reset',
      '+1 ! accept-state-reset',
    ],
  },

  {
    input: 'what is here already, and has expired',
    give: (n) => again(n, { expires: NOW.toISOString() }),
    expected: ['+1', ...four('nothing')],
  },
  {
    input: 'what is here already, and is for other sites',
    give: (n) => again(n, { site: ['plant-b'] }),
    expected: ['+1', ...four('SEQ_WRONG_SITE')],
  },

  // Signatures.
  {
    input: 'the next, unsigned',
    give: (n) => ({ incoming: [unsigned(at(n + 1)!)] }),
    expected: 'SIG_MISSING',
  },
  {
    input: 'an unsigned one, vouched for by the next',
    give: (n) => ({ incoming: [unsigned(at(n + 1)!), at(n + 2)!] }),
    expected: '+1 +2',
  },
  {
    input: 'a signed one, then an unsigned one',
    give: (n) => ({ incoming: [at(n + 1)!, unsigned(at(n + 2)!)] }),
    expected: 'SIG_MISSING',
  },
  {
    input: 'the next, without a trust file',
    give: (n) => ({ incoming: [unsigned(at(n + 1)!)], policy: { threshold: undefined } }),
    expected: ['+1 unsigned', ...four('SIG_MISSING')],
  },
  {
    input: 'the next, without a trust file, on a chain that was never signed',
    give: (n, { landed }) => ({
      incoming: [unsigned(at(n + 1)!)],
      policy: { threshold: undefined },
      state: n === 0 ? undefined : stateAt(landed, { signed: false }),
    }),
    expected: '+1 unsigned',
  },
  {
    input: 'the next, signed by nobody who counts',
    give: (n) => ({ incoming: [bad(at(n + 1)!, 'SIG_UNKNOWN_KEY')] }),
    expected: 'SIG_UNKNOWN_KEY',
  },
  {
    input: 'the next with a bad signature',
    give: (n) => ({ incoming: [bad(at(n + 1)!, 'SIG_INVALID')] }),
    expected: 'SIG_INVALID',
  },
  {
    input: 'the next, signed by a revoked key',
    give: (n) => ({ incoming: [bad(at(n + 1)!, 'SIG_KEY_REVOKED')] }),
    expected: 'SIG_KEY_REVOKED',
  },
  {
    input: 'the next, signed by the old key after it was rotated',
    give: (n) => ({ incoming: [bad(at(n + 1)!, 'SIG_KEY_EXPIRED')] }),
    expected: 'SIG_KEY_EXPIRED',
  },
  {
    input: 'the next, signed by the new key',
    give: (n) => ({ incoming: [{ ...at(n + 1)!, signers: [KEY2] }] }),
    expected: '+1',
  },
  {
    input: 'the next with a good and a bad signature',
    give: (n) => ({ incoming: [{ ...bad(at(n + 1)!, 'SIG_INVALID'), signers: [KEY] }] }),
    expected: '+1',
  },
  {
    input: 'the next, signed by one of the two who are wanted',
    give: (n) => ({ incoming: [at(n + 1)!], policy: { threshold: 2 } }),
    expected: 'SIG_THRESHOLD',
  },
  {
    input: 'the next, signed twice by one of the two who are wanted',
    give: (n) => ({ incoming: [{ ...at(n + 1)!, signers: [KEY, KEY] }], policy: { threshold: 2 } }),
    expected: 'SIG_THRESHOLD',
  },
  {
    input: 'the next, signed by one of the two who are wanted, and badly by the other',
    give: (n) => ({
      incoming: [{ ...bad(at(n + 1)!, 'SIG_INVALID'), signers: [KEY] }],
      policy: { threshold: 2 },
    }),
    expected: 'SIG_THRESHOLD',
  },
  {
    input: 'the next, signed by the two who are wanted',
    give: (n) => ({ incoming: [{ ...at(n + 1)!, signers: [KEY, KEY2] }], policy: { threshold: 2 } }),
    expected: '+1',
  },

  // What the site knows.
  {
    input: 'what was planned from a receipt of now',
    give: (n) => ({ incoming: [at(n + 1)!], ...(n === 0 ? {} : { from: linkOf(at(n)!) }) }),
    expected: '+1',
  },
  {
    input: 'what was planned from an old receipt',
    give: (n) => ({ incoming: range(2, n + 1), from: linkOf(at(1)!) }),
    expected: ['INPUT_EMPTY', '+1', '+1', '+1', '+1'],
  },
  {
    input: 'what was planned from a receipt of a time that the site has forgotten',
    give: (n) => ({ incoming: [at(n + 2)!], from: linkOf(at(n + 1)!) }),
    expected: 'SEQ_STATE_MISMATCH',
  },
  {
    input: 'the same, with --accept-state-reset',
    give: (n) => ({
      incoming: [at(n + 2)!],
      from: linkOf(at(n + 1)!),
      policy: { acceptStateReset: true },
    }),
    expected: ['+2 ! accept-state-reset', ...four('SEQ_GAP')],
  },
  {
    input: 'all that was forgotten, with --accept-state-reset',
    give: (n) => ({
      incoming: range(n + 1, n + 2),
      from: linkOf(at(n + 1)!),
      policy: { acceptStateReset: true },
    }),
    expected: '+1 +2 ! accept-state-reset',
  },
  {
    input: 'what was planned from a receipt of another history',
    give: (n) => ({ incoming: [at(n + 1)!], from: linkOf(other[Math.max(n, 1) - 1]!) }),
    expected: ['SEQ_STATE_MISMATCH', ...four('SEQ_FORK')],
  },
  {
    input: 'the next, where the state was lost',
    give: (n) => ({ incoming: [at(n + 1)!], state: undefined }),
    expected: ['+1', ...four('SEQ_STATE_MISMATCH')],
  },
  {
    input: 'the next, where the state was lost, with --accept-state-reset',
    give: (n) => ({ incoming: [at(n + 1)!], state: undefined, policy: { acceptStateReset: true } }),
    expected: ['+1', ...four('+1 ! accept-state-reset')],
  },
  {
    input: 'an older one, where the state was lost, with --accept-state-reset',
    give: (n) => ({
      incoming: [at(Math.max(n - 1, 1))!],
      state: undefined,
      policy: { acceptStateReset: true },
    }),
    expected: ['+1', 'nothing ! accept-state-reset', 'SEQ_ROLLBACK', 'SEQ_ROLLBACK', 'SEQ_ROLLBACK'],
  },
  {
    input: 'the next, where the content was lost',
    give: (n) => ({ incoming: [at(n + 1)!], landed: [] }),
    expected: ['+1', ...four('SEQ_STATE_MISMATCH')],
  },
  {
    input: 'the next, where the content was lost, with --accept-state-reset',
    give: (n) => ({ incoming: [at(n + 1)!], landed: [], policy: { acceptStateReset: true } }),
    expected: ['+1', ...four('+1 ! accept-state-reset')],
  },
  {
    input: 'all again, where the content was lost, with --accept-state-reset',
    give: (n) => ({ incoming: upTo(Math.max(n, 1)), landed: [], policy: { acceptStateReset: true } }),
    expected: [
      '+1',
      '+0 ! accept-state-reset',
      '-4 -3 -2 -1 +0 ! accept-state-reset',
      '-4 -3 -2 -1 +0 ! accept-state-reset',
      '-5 -4 -3 -2 -1 +0 ! accept-state-reset',
    ],
  },
  {
    input:
      'the next, unsigned and without a trust file, where the content was lost, with --accept-state-reset',
    give: (n) => ({
      incoming: [unsigned(at(n + 1)!)],
      landed: [],
      policy: { acceptStateReset: true, threshold: undefined },
    }),
    expected: ['+1 unsigned', ...four('SIG_MISSING')],
  },
  {
    input: 'the next, where the content is older than the state',
    give: (n) => ({ incoming: [at(n + 1)!], landed: upTo(Math.max(n - 1, 0)) }),
    // Number 6 was never confirmed: without it there is nothing to disagree about.
    expected: ['+1', 'SEQ_STATE_MISMATCH', 'SEQ_STATE_MISMATCH', 'SEQ_STATE_MISMATCH', 'SEQ_GAP'],
  },
  {
    input: 'the next, where the content is newer than the state',
    give: (n) => ({ incoming: [at(n + 1)!], landed: upTo(n + 1) }),
    expected: [
      'SEQ_STATE_MISMATCH',
      'SEQ_STATE_MISMATCH',
      'SEQ_STATE_MISMATCH',
      // It is the one that was pending.
      'nothing',
      'SEQ_STATE_MISMATCH',
    ],
  },
  {
    input: 'the next, where the content is of another history',
    give: (n) => ({ incoming: [at(n + 1)!], landed: other.slice(0, n) }),
    expected: ['+1', ...four('SEQ_STATE_MISMATCH')],
  },
  {
    input: 'the next, where an older one of the content was swapped',
    give: (n, { landed }) => ({
      incoming: [at(n + 1)!],
      landed: landed.map((one, index) => (index === 0 ? other[0]! : one)),
    }),
    expected: ['+1', ...four('SEQ_STATE_MISMATCH')],
  },
  {
    input: 'the next, where the state is of the chain under another name',
    give: (n, { state }) => ({
      incoming: [at(n + 1)!],
      ...(state === undefined ? {} : { state: { ...state, chain: { ...CHAIN, name: 'renamed' } } }),
    }),
    expected: ['+1', ...four('SEQ_WRONG_CHAIN')],
  },
]

function four(expected: Expected): readonly [Expected, Expected, Expected, Expected] {
  return [expected, expected, expected, expected]
}

/** The newest that is here, with more metadata; the next where there is none. */
function again(newest: number, extra: NonNullable<ShipmentOptions['extra']>): Given {
  if (newest === 0) return { incoming: [at(1)!] }
  const last = like(newest, { extra })
  const landed = [...upTo(newest - 1), last]
  return { incoming: [last], landed, state: stateAt(landed) }
}

const columns = Object.entries(STATES)
const cells = rows.flatMap(({ input, give, expected }) =>
  columns.map(([state, { newest, site }], column) => ({
    state,
    input,
    newest,
    expected: typeof expected === 'string' ? expected : expected[column]!,
    given: assemble(site, give(newest, site)),
  })),
)

describe('a set at a site', () => {
  test('is tried in as many cells as there are rows and columns', () => {
    expect(cells.length).toBeGreaterThanOrEqual(300)
    expect(new Set(cells.map(({ state, input }) => `${state}: ${input}`)).size).toBe(cells.length)
  })

  test.each(cells)('$state: $input -> $expected', ({ given, newest, expected }) => {
    const before = JSON.stringify(given)
    expect(outcome(given, newest)).toBe(expected)
    expect(JSON.stringify(given)).toBe(before)
  })
})

function assemble(site: Site, { policy: changes, ...given }: Given): JudgeInput {
  return { chain: CHAIN, ...site, ...given, policy: policy(changes) } as JudgeInput
}

/** What the judge says, as the table has it. */
function outcome(input: JudgeInput, newest: number): Expected {
  try {
    const { land, headstones, signed, overrides } = judge(input)
    const relative = (one: Incoming): string => {
      const distance = one.metadata.sequence_number - newest
      return `${distance < 0 ? '' : '+'}${distance}${headstones.includes(one) ? 'm' : ''}`
    }
    const things = [...headstones, ...land]
      .sort((a, b) => a.metadata.sequence_number - b.metadata.sequence_number)
      .map(relative)
    const said = things.length === 0 ? 'nothing' : things.join(' ')
    const suffix = overrides.length === 0 ? '' : ` ! ${overrides.join(' ')}`
    return `${said}${suffix}${signed || input.policy.threshold !== undefined ? '' : ' unsigned'}`
  } catch (error) {
    if (!isCarryallError(error)) throw error
    expect(error.details.hint, error.message).toBeTypeOf('string')
    return error.code
  }
}
