import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cellsOf, checkCell, type Expected, type Given, type Row } from '../support/transfer-cells.ts'
import {
  adoptHead,
  auditOf,
  chainDirectory,
  cloneFar,
  stateFile,
  stateOf,
  unpack,
  type Far,
} from '../support/transfer-far.ts'
import { makeStandings, STANDINGS, type Standing } from '../support/transfer-sites.ts'
import { makeWorld, type World } from '../support/transfer-world.ts'

// What a far side remembers was lost, damaged, copied or put back from another day.
const NOW = new Date()
const AT = [0, 1, 2, 4, 5].map((index) => STANDINGS[index]!)
const RESET = ['--accept-state-reset']

let world: World
let standings: readonly Standing[]
beforeAll(async () => {
  world = await makeWorld()
  standings = await makeStandings(world, NOW)
})
afterAll(() => world[Symbol.asyncDispose]())

const next = async (n: number, more: Partial<Given> = {}): Promise<Given> => range(n + 1, n + 1, more)
const range = async (first: number, last: number, more: Partial<Given> = {}): Promise<Given> => ({
  media: [await world.set(await world.range(first, last))],
  ...more,
})
/** Empty, at 1, at 5 twice, killed before, killed after. */
const each = (empty: Expected, one: Expected, five = one, before = five, after = before) => [
  empty,
  one,
  five,
  five,
  before,
  after,
]
const loseState = (far: Far) => rm(far.state, { recursive: true, force: true })
const loseContent = (far: Far) => rm(far.content, { recursive: true, force: true })
const damageState = (bytes: string) => async (far: Far) => {
  if ((await stateOf(far)) !== undefined) await writeFile(stateFile(far), bytes)
}

/** Puts the content, or the state, of an earlier standing there. */
const restore = (part: 'content' | 'state', standing: Standing) => async (far: Far) => {
  const index = Math.max(standings.indexOf(standing) - 1, 0)
  const earlier = standings[standing.newest === 5 ? 1 : standing.newest === 6 ? 2 : index]!
  await rm(far[part], { recursive: true, force: true })
  await cp(earlier.far[part], far[part], { recursive: true }).catch(() => undefined)
  if (part === 'content' && earlier.newest > 0) await adoptHead(chainDirectory(far))
}

const rows: readonly Row[] = [
  // The state.
  {
    input: 'the next, where the state was lost',
    give: (n) => next(n, { before: loseState }),
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH'),
  },
  {
    input: 'the next, where the state was lost, with --accept-state-reset',
    give: (n) => next(n, { before: loseState, flags: RESET }),
    expected: '0 +1',
  },
  {
    input: 'an old set, where the state was lost, with --accept-state-reset',
    give: (n) => range(1, Math.max(n - 2, 1), { before: loseState, flags: RESET }),
    expected: each('0 +1', '0 nothing', '81 SEQ_ROLLBACK'),
  },
  {
    input: 'another history, where the state was lost, with --accept-state-reset',
    give: async (n) => ({
      media: [await world.set([await world.like(Math.max(n, 1), { extra: { note: 'another' } })])],
      before: loseState,
      flags: RESET,
    }),
    expected: each('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'the next, where the state is damaged',
    give: (n) => next(n, { before: damageState('{"apiVersion": "carryall/v1", "kind": "Cha') }),
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH'),
  },
  {
    input: 'the next, where the state is empty',
    give: (n) => next(n, { before: damageState('') }),
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH'),
  },
  {
    input: 'the next, where the state is damaged, with --accept-state-reset',
    give: (n) => next(n, { before: damageState('null'), flags: RESET }),
    expected: '0 +1',
  },
  {
    input: 'the next, where the state is of an earlier day',
    give: (n, standing) => next(n, { before: restore('state', standing) }),
    // Killed before 6 was published: the state lacks what has landed, too.
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH'),
  },
  {
    input: 'the next, where the state is of an earlier day, with --accept-state-reset',
    give: (n, standing) => next(n, { before: restore('state', standing), flags: RESET }),
    expected: '0 +1',
  },

  // The content.
  {
    input: 'the next, where the content was lost',
    give: (n) => next(n, { before: loseContent }),
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH'),
  },
  {
    input: 'the next, where the content was lost, with --accept-state-reset',
    give: (n) => next(n, { before: loseContent, flags: RESET }),
    expected: '0 +1',
  },
  {
    input: 'all again, where the content was lost, with --accept-state-reset',
    give: (n) => range(1, Math.max(n, 1), { before: loseContent, flags: RESET }),
    expected: each('0 +1', '0 +0', '0 -4 -3 -2 -1 +0', undefined, '0 -5 -4 -3 -2 -1 +0'),
  },
  {
    input: 'the next, without a trust file, where the content was lost, with --accept-state-reset',
    give: (n) => next(n, { before: loseContent, flags: RESET, trust: 'none' }),
    expected: each('0 +1', '80 SIG_MISSING'),
  },
  {
    input: 'the next, where the content is of an earlier day',
    give: (n, standing) => next(n, { before: restore('content', standing) }),
    // Killed after 6 was published: the state does not know it, and 7 does not follow 5.
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH', undefined, undefined, '81 SEQ_GAP'),
  },
  {
    input: 'all that was lost, where the content is of an earlier day, with --accept-state-reset',
    give: (n, standing) =>
      range(n === 6 ? 6 : n === 5 ? 2 : 1, n + 1, { before: restore('content', standing), flags: RESET }),
    expected: each('0 +1', '0 +0 +1', '0 -3 -2 -1 +0 +1', undefined, '0 +0 +1'),
  },
  {
    input: 'the next, where the content directory is a copy',
    give: (n) =>
      next(n, {
        before: async (far) => {
          if (n === 0) return
          await cp(far.content, `${far.content}.copy`, { recursive: true })
          await rm(far.content, { recursive: true })
          await cp(`${far.content}.copy`, far.content, { recursive: true })
        },
      }),
    expected: each('0 +1', '81 SEQ_COPIED'),
  },
  {
    input: 'the next, where the content directory is a copy, with --accept-state-reset',
    give: (n) =>
      next(n, {
        before: async (far) => {
          if (n === 0) return
          await cp(far.content, `${far.content}.copy`, { recursive: true })
          await rm(far.content, { recursive: true })
          await cp(`${far.content}.copy`, far.content, { recursive: true })
        },
        flags: RESET,
      }),
    expected: '0 +1',
  },
  {
    input: 'the next, where the head of the content directory was lost',
    give: (n) => next(n, { before: (far) => rm(own(far, 'head.json'), { force: true }) }),
    expected: each('0 +1', '81 SEQ_COPIED'),
  },
  {
    input: 'the next, where the head of the content directory is damaged',
    give: (n) => next(n, { before: async (far) => n > 0 && (await truncate(own(far, 'head.json'), 10)) }),
    expected: each('0 +1', '81 SEQ_COPIED'),
  },
  {
    input: 'the next, where the newest shipment was taken away with its headstone',
    give: (n) =>
      next(n, {
        before: async (far) => {
          await rm(join(chainDirectory(far), `seq${n}-sample`), { recursive: true, force: true })
          await rm(own(far, `headstones/seq${n}-sample`), { recursive: true, force: true })
        },
      }),
    // Killed after 6 was published: nobody but the pending mark knew of it.
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH', undefined, undefined, '81 SEQ_GAP'),
  },
  {
    input: 'the next, where an older shipment was exchanged for another',
    give: (n) =>
      next(n, {
        before: async (far) => {
          if (n === 0) return
          const { directory } = await world.like(1, { extra: { note: 'another' } })
          await rm(join(chainDirectory(far), 'seq1-sample'), { recursive: true })
          await cp(directory, join(chainDirectory(far), 'seq1-sample'), { recursive: true })
        },
      }),
    expected: each('0 +1', '81 SEQ_STATE_MISMATCH'),
  },

  // What an operator may do.
  {
    input: 'the next, where all content was removed but what is kept of it',
    give: (n) =>
      next(n, {
        before: async (far) => {
          for (let number = 1; number <= Math.min(n, 5); number++)
            await rm(join(chainDirectory(far), `seq${number}-sample`), { recursive: true })
        },
      }),
    expected: '0 +1',
  },
  {
    input: 'the next, where the headstones were removed',
    give: (n) => next(n, { before: (far) => rm(own(far, 'headstones'), { recursive: true, force: true }) }),
    expected: '0 +1',
  },
  {
    input: 'all again, where the oldest was removed',
    give: (n) =>
      range(1, Math.max(n, 1), {
        before: (far) => rm(join(chainDirectory(far), 'seq1-sample'), { recursive: true, force: true }),
      }),
    expected: each('0 +1', '0 +0', '0 -4', undefined, '0 -5'),
  },
  {
    input: 'the next, where what was staged is damaged',
    give: (n) =>
      next(n, {
        before: async (far) => {
          const staging = own(far, 'staging')
          for (const entry of await readdir(staging, { recursive: true, withFileTypes: true }).catch(
            () => [],
          ))
            if (entry.isFile()) await writeFile(join(entry.parentPath, entry.name), 'garbage')
        },
      }),
    expected: '0 +1',
  },
]

function own(far: Far, name: string): string {
  return join(chainDirectory(far), '.carryall', name)
}

const cells = cellsOf(rows, STANDINGS).filter(({ standing }) => AT.includes(standing as (typeof AT)[number]))

describe('what a far side remembers', () => {
  test('is tried in many cells', () => expect(cells.length).toBeGreaterThanOrEqual(110))

  test.each(cells)('$standing: $input -> $expected', async (cell) => {
    await checkCell(world, cell, standings[cell.index]!, { now: NOW })
  })

  test('a state that was made anew is in the audit log, once', async () => {
    const far = await cloneFar(standings[2]!.far, world.fresh('far'))
    await loseState(far)
    const flags = ['--trust', await world.trust(['build']), ...RESET]
    const { volumes } = await world.set([await world.like(6)])
    expect(await unpack(far, volumes, { flags, now: NOW })).toMatchObject({ exit: 0 })
    expect(await unpack(far, volumes, { flags, now: NOW })).toMatchObject({ exit: 0 })
    expect((await auditOf(far)).map(({ action, outcome }) => [action, outcome])).toEqual([
      ['accept-state-reset', 'done'],
      ['land', 'done'],
    ])
    expect(JSON.parse(await readFile(stateFile(far), 'utf8'))).toMatchObject({
      mark: { sequence_number: 6 },
      digests: [1, 2, 3, 4, 5, 6].map((sequence_number) => ({ sequence_number })),
    })
  })
})
