import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { acquireLock } from '@carryall/durable'
import { installBundles, type Installed } from '../support/bundles.ts'
import { start } from '../support/start.ts'
import { treeOf } from '../support/storage.ts'
import { cellsOf, checkCell, type Given, type Row } from '../support/transfer-cells.ts'
import {
  auditOf,
  chainDirectory,
  farAt,
  published,
  stateFile,
  stateOf,
  unpackBinary,
  type Far,
} from '../support/transfer-far.ts'
import { makeStandings, STANDINGS, type Standing } from '../support/transfer-sites.ts'
import { makeWorld, OTHER_CHAIN, type World } from '../support/transfer-world.ts'

// The installed program, at real clocks: cells of the other suites, and several at once in one content directory.
let installed: Installed
let world: World
let standings: readonly Standing[]
const NOW = new Date()

beforeAll(async () => {
  installed = await installBundles()
  world = await makeWorld()
  standings = await makeStandings(world, NOW)
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await installed[Symbol.asyncDispose]()
})

const one = async (shipment: ReturnType<World['like']>, more: Partial<Given> = {}): Promise<Given> => ({
  media: [await world.set([await shipment])],
  ...more,
})
const rest = (first: string, others: string): readonly string[] => [
  first,
  ...Array.from({ length: STANDINGS.length - 1 }, () => others),
]

const rows: readonly Row[] = [
  { input: 'the next', give: (n) => one(world.like(n + 1)), expected: '0 +1' },
  {
    input: 'an older one',
    give: (n) => one(world.like(Math.max(n - 1, 1))),
    expected: rest('0 +1', '81 SEQ_ROLLBACK'),
  },
  { input: 'the one after the next', give: (n) => one(world.like(n + 2)), expected: '81 SEQ_GAP' },
  {
    input: 'another of the same number',
    give: (n) => one(world.like(Math.max(n, 1), { extra: { note: 'another' } })),
    expected: rest('0 +1', '81 SEQ_FORK'),
  },
  {
    input: 'another chain of that name',
    give: (n) => one(world.like(n + 1, { extra: { chain: OTHER_CHAIN } })),
    expected: rest('0 +1', '81 SEQ_WRONG_CHAIN'),
  },
  {
    input: 'one for another site',
    give: (n) => one(world.like(n + 1, { extra: { site: ['plant-8'] } })),
    expected: '81 SEQ_WRONG_SITE',
  },
  {
    input: 'one that has expired',
    give: (n) => one(world.like(n + 1, { extra: { expires: '2020-01-01T00:00:00Z' } })),
    expected: '81 SEQ_EXPIRED',
  },
  {
    input: 'one that has expired, with --allow-expired',
    give: (n) =>
      one(world.like(n + 1, { extra: { expires: '2020-01-01T00:00:00Z' } }), { flags: ['--allow-expired'] }),
    expected: '0 +1',
  },
  {
    input: 'one without a signature',
    give: (n) => one(world.like(n + 1, { signers: [] })),
    expected: '80 SIG_MISSING',
  },
  {
    input: 'one of a stranger',
    give: (n) => one(world.like(n + 1, { signers: ['stranger'] })),
    expected: '80 SIG_UNKNOWN_KEY',
  },
  {
    input: 'the next, where the clock was years ahead before',
    give: (n) =>
      one(world.like(n + 1), {
        before: async (far) => {
          const state = await stateOf(far)
          if (state !== undefined)
            await writeFile(stateFile(far), JSON.stringify({ ...state, last_seen: '2199-01-01T00:00:00Z' }))
        },
      }),
    expected: rest('0 +1', '81 SEQ_CLOCK'),
  },
  {
    input: 'the next, where the state was lost',
    give: (n) => one(world.like(n + 1), { before: (far) => rm(far.state, { recursive: true, force: true }) }),
    expected: rest('0 +1', '81 SEQ_STATE_MISMATCH'),
  },
  {
    input: 'the next, where the state was lost, with --accept-state-reset',
    give: (n) =>
      one(world.like(n + 1), {
        before: (far) => rm(far.state, { recursive: true, force: true }),
        flags: ['--accept-state-reset'],
      }),
    expected: '0 +1',
  },
  {
    input: 'the first of two volumes',
    give: async (n) => {
      const { volumes, shipments } = await world.set([await world.like(n + 1)])
      return { media: [{ shipments, volumes: volumes.slice(0, 1) }], cure: volumes.slice(1) }
    },
    damage: true,
    expected: '83 VOLUME_MISSING',
  },
]

const cells = cellsOf(rows, STANDINGS).filter(({ standing }) => standing === 'at 5')

describe('the installed program', () => {
  test('is tried in more than ten cells', () => expect(cells.length).toBeGreaterThan(10))

  test.each(cells)('$standing: $input -> $expected', async (cell) => {
    await checkCell(world, cell, standings[cell.index]!, { now: NOW, unpack: unpackBinary(installed) })
  })
})

describe('eight at once, a volume each, into one content directory', () => {
  const argv = async (far: Far, volume: string, wait: readonly string[]): Promise<readonly string[]> => [
    ...[volume, '--content', far.content, '--state-dir', far.state, '--progress', 'none'],
    ...['--trust', await world.trust(['build']), ...wait],
  ]

  test('with --wait each has its turn, and each shipment is published by exactly one', async () => {
    const shipments = await world.range(1, 6)
    const { volumes } = await world.set(shipments, { volumes: 8 })
    const far = farAt(world.fresh('far'))
    const runs = await Promise.all(
      volumes.map(async (volume) =>
        start(installed, 'transfer-unpack', await argv(far, volume, ['--wait', '100'])),
      ),
    )
    const ended = await Promise.all(runs.map((run) => run.ended))
    // All but the last one still wait for others.
    expect(
      ended.map(({ exit }) => Number(exit)).toSorted((a, b) => a - b),
      ended.map(({ stderr }) => stderr).join(''),
    ).toEqual([0, ...Array.from({ length: 7 }, () => 83)])
    const told = ended.flatMap(({ stdout }) =>
      stdout
        .toString()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { name: string; result: { changed?: boolean } }),
    )
    expect(
      told
        .filter(({ result }) => result.changed)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(shipments.map(({ metadata }) => metadata.name))
    for (const { directory, metadata } of shipments)
      expect(await treeOf(join(chainDirectory(far), metadata.name))).toEqual(await treeOf(directory))
    expect(
      (await auditOf(far)).filter(({ action, outcome }) => action === 'land' && outcome === 'done'),
    ).toHaveLength(6)
  })

  test('a volume that is given again while another run publishes is judged by what is there at one moment', async () => {
    const { volumes } = await world.set(await world.range(1, 9), { volumes: 2 })
    const far = farAt(world.fresh('far'))
    const wait = ['--wait', '100']
    const runs = [
      start(installed, 'transfer-unpack', [...volumes.slice(1), ...(await argv(far, volumes[0]!, wait))]),
    ]
    for (let count = 0; count < 6; count++) {
      await new Promise((resolve) => setTimeout(resolve, 90))
      runs.push(start(installed, 'transfer-unpack', await argv(far, volumes[0]!, wait)))
    }
    for (const { exit, stderr } of await Promise.all(runs.map((run) => run.ended)))
      // Who comes before the second volume was read waits for it.
      expect([0, 83], stderr).toContain(exit)
  })

  test('without --wait those that find the lock held end with 75, and change nothing', async () => {
    const { volumes } = await world.set(await world.range(1, 2), { volumes: 8 })
    const far = farAt(world.fresh('far'))
    const own = join(chainDirectory(far), '.carryall')
    await mkdir(own, { recursive: true })
    {
      await using _lock = await acquireLock(join(own, 'lock'), { holder: 'the test' })
      const runs = await Promise.all(
        volumes.map(async (volume) => start(installed, 'transfer-unpack', await argv(far, volume, []))),
      )
      for (const { exit, stdout } of await Promise.all(runs.map((run) => run.ended))) {
        expect(exit).toBe(75)
        expect(JSON.parse(stdout.toString())).toMatchObject({
          kind: 'Failure',
          errors: [{ code: 'LOCK_HELD', retryable: true }],
        })
      }
      expect(await published(far)).toEqual([])
    }
    // Without anybody's help: one gets the lock at least, and what is left comes later.
    const runs = await Promise.all(
      volumes.map(async (volume) => start(installed, 'transfer-unpack', await argv(far, volume, []))),
    )
    const exits = (await Promise.all(runs.map((run) => run.ended))).map(({ exit }) => exit)
    for (const exit of exits) expect([0, 75, 83]).toContain(exit)
    expect(exits.some((exit) => exit !== 75)).toBe(true)
    const last = await start(installed, 'transfer-unpack', await argv(far, dirname(volumes[0]!), [])).ended
    expect(last.exit, last.stderr).toBe(0)
    expect(await published(far)).toEqual(['sample/seq1-sample', 'sample/seq2-sample'])
    expect(JSON.parse(await readFile(stateFile(far), 'utf8'))).toMatchObject({ mark: { sequence_number: 2 } })
  })
})
