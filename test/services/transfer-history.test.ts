import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Shipment } from '@carryall/shipment'
import { cellsOf, checkCell, type Expected, type Row } from '../support/transfer-cells.ts'
import { makeStandings, STANDINGS, type Standing } from '../support/transfer-sites.ts'
import { CHAIN, linkTo, makeWorld, OTHER_CHAIN, type Variant, type World } from '../support/transfer-world.ts'

// What comes in a wrong order, from another history, for another place or at another time.
const NOW = new Date()
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let world: World
let standings: readonly Standing[]
beforeAll(async () => {
  world = await makeWorld()
  standings = await makeStandings(world, NOW)
})
afterAll(() => world[Symbol.asyncDispose]())

const real = (number: number): Promise<Shipment> => world.like(Math.max(number, 1))
const like = (number: number, variant: Variant): Promise<Shipment> => world.like(Math.max(number, 1), variant)
const other = (number: number): Promise<Shipment> => like(number, { history: 'two' })
const others = (first: Expected, ...rest: readonly Expected[]): readonly Expected[] => [
  first,
  ...Array.from({ length: STANDINGS.length - 1 }, (_, index) => rest[index] ?? rest.at(-1) ?? first),
]
const bytes = { metadataDigest: `sha256:${'0'.repeat(64)}` }
const one = async (shipment: Promise<Shipment>) => ({ media: [await world.set([await shipment])] })
const range = async (first: number, last: number) => ({
  media: [await world.set(await world.range(first, last))],
})
const at = (milliseconds: number): Date => new Date(NOW.getTime() + milliseconds)
const made = (milliseconds: number): object => ({ timestamp: at(milliseconds).toISOString() })
const until = (milliseconds: number): object => ({ expires: at(milliseconds).toISOString() })
const from = (shipment: Shipment) => ({
  sequence_number: shipment.metadata.sequence_number,
  metadata_digest: shipment.metadataDigest,
})

const rows: readonly Row[] = [
  // In order.
  { input: 'the next', give: (n) => one(real(n + 1)), expected: '0 +1' },
  { input: 'the next two', give: (n) => range(n + 1, n + 2), expected: '0 +1 +2' },
  { input: 'all from number 1', give: (n) => range(1, n + 1), expected: others('0 +1') },
  {
    input: 'the metadata of the next, and the one after it',
    give: async (n) => ({
      media: [await world.set(await world.range(n + 1, n + 2), { carried: [n + 2] })],
    }),
    // On an empty site number 2 needs number 1, of which nothing but the metadata came.
    expected: others('83 SEQ_INCOMPLETE', '0 +1m +2'),
  },
  { input: 'the same again', give: (n) => one(real(n)), expected: others('0 +1', '0 nothing') },
  {
    input: 'all that is here again',
    give: (n) => range(1, Math.max(n, 1)),
    expected: others('0 +1', '0 nothing'),
  },

  // Old.
  {
    input: 'an older one',
    give: (n) => one(real(n - 1)),
    expected: others('0 +1', '0 nothing', '81 SEQ_ROLLBACK'),
  },
  {
    input: 'an old set',
    give: (n) => range(1, Math.max(n - 2, 1)),
    expected: others('0 +1', '0 nothing', '81 SEQ_ROLLBACK'),
  },
  {
    input: 'an old set, then the next',
    give: async (n) => ({
      media: [await world.set([await real(n - 1)]), await world.set([await real(n + 1)])],
    }),
    // It was left on the medium from an earlier trip.
    expected: '0 +1',
  },

  // Gaps.
  {
    input: 'the one after the next, without its link',
    give: (n) => one(real(n + 2)),
    expected: '81 SEQ_GAP',
  },
  {
    input: 'a set with a hole',
    give: async (n) => ({ media: [await world.set([await real(n + 1), await real(n + 3)])] }),
    expected: '81 SEQ_GAP',
  },
  {
    input: 'a signed baseline behind a gap',
    give: (n) => one(like(n + 3, { dependencies: [] })),
    expected: '0 +3',
  },
  {
    input: 'an unsigned baseline behind a gap',
    give: (n) => one(like(n + 3, { dependencies: [], signers: [] })),
    expected: '80 SIG_MISSING',
  },
  {
    input: 'a signed one behind a gap that is not complete',
    give: (n) => one(real(n + 3)),
    expected: '81 SEQ_GAP',
  },
  {
    input: 'a baseline behind a gap that only the one after it vouches for',
    give: async (n) => {
      const baseline = await like(n + 3, { dependencies: [], signers: [] })
      return { media: [await world.set([baseline, await like(n + 4, { previous: baseline })])] }
    },
    expected: '81 SEQ_GAP',
  },
  {
    input: 'a gap, with --accept-state-reset',
    give: async (n) => ({ ...(await one(real(n + 2))), flags: ['--accept-state-reset'] }),
    expected: others('0 +2', '81 SEQ_GAP'),
  },
  {
    input: 'one that borrows from what never came',
    give: async (n) => one(like(n + 1, { dependencies: [linkTo(await other(1))] })),
    expected: '83 SEQ_INCOMPLETE',
  },
  {
    input: 'one that borrows from what never came, then the next',
    give: async (n) => ({
      media: [
        await world.set([await like(n + 1, { dependencies: [linkTo(await other(1))] })]),
        await world.set([await real(n + 1)]),
      ],
    }),
    expected: '83 SEQ_INCOMPLETE +1',
  },

  // Other histories.
  {
    input: 'another of the same number',
    give: (n) => one(like(n, { extra: { note: 'another' } })),
    expected: others('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'another of an older number',
    give: (n) => one(like(n - 1, { extra: { note: 'another' } })),
    expected: others('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'another history from number 1, and longer',
    give: async (n) => ({
      media: [
        await world.set(await Promise.all(Array.from({ length: n + 1 }, (_, index) => other(index + 1)))),
      ],
    }),
    expected: others('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'the next of another history',
    give: (n) => one(other(n + 1)),
    expected: others('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'one that names a predecessor that nobody knows',
    give: (n) => one(like(n + 1, { previous: bytes })),
    expected: '81 SEQ_FORK',
  },
  {
    input: 'one that names no predecessor',
    give: (n) => one(like(n + 1, { previous: 'none' })),
    expected: others('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'a set that continues, and then does not',
    give: async (n) => ({ media: [await world.set([await real(n + 1), await other(n + 2)])] }),
    expected: '81 SEQ_FORK',
  },
  {
    input: 'two next ones, one within the volumes of the other',
    give: async (n) => {
      const [first, second] = [
        await world.set([await real(n + 1)]),
        await world.set([await like(n + 1, { extra: { name: `seq${n + 1}-another` } })]),
      ]
      return {
        media: [first, second],
        operands: [first.volumes[0]!, ...second.volumes, first.volumes[1]!],
      }
    },
    expected: others('81 SEQ_FORK +1'),
  },
  {
    input: 'the next two, within the volumes of the next alone',
    give: async (n) => {
      const [first, second] = [
        await world.set([await real(n + 1)]),
        await world.set(await world.range(n + 1, n + 2)),
      ]
      return {
        media: [first, second],
        operands: [first.volumes[0]!, ...second.volumes, first.volumes[1]!],
      }
    },
    expected: '0 +1 +2',
  },
  {
    input: 'one volume of the next, then the next two',
    give: async (n) => {
      const [first, second] = [
        await world.set([await real(n + 1)]),
        await world.set(await world.range(n + 1, n + 2)),
      ]
      return { media: [first, second], operands: [first.volumes[0]!, ...second.volumes] }
    },
    expected: '0 +1 +2',
  },
  {
    input: 'the one after the next, then the next',
    give: async (n) => ({
      media: [await world.set([await real(n + 2)]), await world.set([await real(n + 1)])],
    }),
    expected: '81 SEQ_GAP +1',
  },

  // Other chains, other sites.
  {
    input: 'another chain of that name',
    give: (n) => one(like(n + 1, { extra: { chain: OTHER_CHAIN } })),
    expected: others('0 +1', '81 SEQ_WRONG_CHAIN'),
  },
  {
    input: 'another chain of that name, where the trust file lists the chains',
    give: async (n) => ({
      ...(await one(like(n + 1, { extra: { chain: OTHER_CHAIN } }))),
      trust: await world.trust(['build'], { chains: [{ id: CHAIN.id }] }),
    }),
    expected: '81 SEQ_WRONG_CHAIN',
  },
  {
    input: 'the chain under another name',
    give: (n) => one(like(n + 1, { extra: { chain: { ...CHAIN, name: 'renamed' } } })),
    expected: others('0 +1', '81 SEQ_WRONG_CHAIN'),
  },
  {
    input: 'one of another chain among others',
    give: async (n) => ({
      media: [await world.set([await like(n + 1, { extra: { chain: OTHER_CHAIN } }), await real(n + 2)])],
    }),
    expected: '81 SEQ_WRONG_CHAIN',
  },
  {
    input: 'one for another site',
    give: (n) => one(like(n + 1, { extra: { site: ['plant-8', 'plant-9'] } })),
    expected: '81 SEQ_WRONG_SITE',
  },
  {
    input: 'one for this site and another',
    give: (n) => one(like(n + 1, { extra: { site: ['plant-8', 'plant-7'] } })),
    expected: '0 +1',
  },
  {
    input: 'one for another site, where --site says so',
    give: async (n) => ({
      ...(await one(like(n + 1, { extra: { site: ['plant-7'] } }))),
      flags: ['--site', 'plant-8'],
    }),
    expected: '81 SEQ_WRONG_SITE',
  },

  // Time.
  {
    input: 'one that has expired',
    give: (n) => one(like(n + 1, { extra: until(-MINUTE) })),
    expected: '81 SEQ_EXPIRED',
  },
  {
    input: 'one that has expired, with --allow-expired',
    give: async (n) => ({
      ...(await one(like(n + 1, { extra: until(-MINUTE) }))),
      flags: ['--allow-expired'],
    }),
    expected: '0 +1',
  },
  {
    input: 'one that will expire tomorrow',
    give: (n) => one(like(n + 1, { extra: until(DAY) })),
    expected: '0 +1',
  },
  {
    input: 'one of the day after tomorrow',
    give: (n) => one(like(n + 1, { extra: made(2 * DAY) })),
    expected: '81 SEQ_CLOCK',
  },
  {
    input: 'one of tonight',
    give: (n) => one(like(n + 1, { extra: made(DAY / 2) })),
    expected: '0 +1',
  },
  {
    input: 'the next, when the clock has gone back',
    give: async (n) => ({ ...(await one(real(n + 1))), now: at(-10 * MINUTE) }),
    expected: others('0 +1', '81 SEQ_CLOCK'),
  },
  {
    input: 'the next, when the clock was set right by some minutes',
    give: async (n) => ({ ...(await one(real(n + 1))), now: at(-4 * MINUTE) }),
    expected: '0 +1',
  },
  {
    input: 'the next, when the clock was wrong before, with --accept-state-reset',
    give: async (n) => ({
      ...(await one(real(n + 1))),
      now: at(-10 * MINUTE),
      flags: ['--accept-state-reset'],
    }),
    expected: '0 +1',
  },

  // Receipts.
  {
    input: 'what was planned from the receipt of now',
    give: async (n) => ({
      media: [await world.set([await real(n + 1)], n === 0 ? {} : { from: from(await real(n)) })],
    }),
    expected: '0 +1',
  },
  {
    input: 'what was planned from a receipt that this site has forgotten',
    give: async (n) => ({ media: [await world.set([await real(n + 2)], { from: from(await real(n + 1)) })] }),
    expected: '81 SEQ_STATE_MISMATCH',
  },
  {
    input: 'what was planned from a receipt that this site has forgotten, with --accept-state-reset',
    give: async (n) => ({
      media: [await world.set([await real(n + 2)], { from: from(await real(n + 1)) })],
      flags: ['--accept-state-reset'],
    }),
    expected: others('0 +2', '81 SEQ_GAP'),
  },
  {
    input: 'what was planned from a receipt of another history',
    give: async (n) => ({ media: [await world.set([await real(n + 1)], { from: from(await other(n)) })] }),
    expected: others('81 SEQ_STATE_MISMATCH', '81 SEQ_FORK'),
  },
]

const cells = cellsOf(rows, STANDINGS)

describe('a set at a far side', () => {
  test('is tried in as many cells as there are rows and columns', () => {
    expect(new Set(cells.map(({ input, standing }) => `${input}: ${standing}`)).size).toBe(
      rows.length * STANDINGS.length,
    )
    expect(cells.length).toBeGreaterThanOrEqual(270)
  })

  test.each(cells)('$standing: $input -> $expected', async (cell) => {
    await checkCell(world, cell, standings[cell.index]!, { now: NOW })
  })
})
