import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sampleImage, sampleIndex } from '@carryall/oci/testing'
import { installBundles, type Installed } from '../support/bundles.ts'
import { writeConfig } from '../support/config.ts'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { random } from '../support/random.ts'
import { attachments, baseImages, digestsOf, nameOf } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { documents, shell } from '../support/shell.ts'
import { start, type Running } from '../support/start.ts'
import { treeOf } from '../support/storage.ts'
import { seqMeta } from '../support/tools.ts'

const EPOCH = { SOURCE_DATE_EPOCH: '1800000000' }
const KILLS = 20
const images = [
  ...baseImages,
  {
    repository: 'wide',
    tag: '1',
    sample: sampleIndex([
      sampleImage('w1', { layers: [400_000, 300_000] }),
      sampleImage('w2', { layers: [200_000] }),
    ]),
  },
]

let installed: Installed
let lane: Lane
let scratch: Scratch
let content: string

beforeAll(async () => {
  installed = await installBundles()
  lane = await startLane([...images, ...attachments])
  await lane.configure(images)
})

afterAll(async () => {
  await installed[Symbol.asyncDispose]()
  await lane[Symbol.asyncDispose]()
})

beforeEach(async () => {
  scratch = await makeScratch()
  content = scratch.at('content')
})

afterEach(() => scratch[Symbol.asyncDispose]())

const mirror = (config = lane.config, ...flags: readonly string[]): Running =>
  start(installed, 'mirror-seq', ['-c', config, '--content', content, ...flags], EPOCH)

/** A published sequence without what is random: the id of its chain, and the sum of the file that has it. */
async function comparable(directory: string): Promise<Readonly<Record<string, string>>> {
  const { 'seq-metadata.yaml': _metadata, SHA256SUMS: _sums, ...files } = await treeOf(directory)
  const text = async (name: string) =>
    (await readFile(join(directory, name), 'utf8'))
      .replace(/^( +id: ).*$/m, '$1ID')
      .replace(/^[0-9a-f]{64}(?=  seq-metadata)/m, 'SUM')
  return { ...files, metadata: await text('seq-metadata.yaml'), sums: await text('SHA256SUMS') }
}

/** Nothing is left of runs that were cut. */
async function expectTidy(...sequences: readonly string[]): Promise<void> {
  expect(
    (await readdir(content, { recursive: true }))
      .filter((name) => !sequences.some((sequence) => name.startsWith(`${sequence}/`)))
      .toSorted(),
  ).toEqual(
    ['.carryall', '.carryall/head.json', '.carryall/lock', '.carryall/staging', ...sequences].toSorted(),
  )
}

describe('kill -9', () => {
  test(`at ${KILLS} random moments of a run: the next one ends it with the same files, and needs no help`, async () => {
    const whole = mirror()
    const begin = performance.now()
    expect(await whole.ended).toMatchObject({ exit: 0 })
    const milliseconds = performance.now() - begin
    const expected = await comparable(join(content, 'seq1-baseline'))
    const next = random(20)
    let killed = 0
    for (let round = 0; round < KILLS; round += 1) {
      await scratch[Symbol.asyncDispose]()
      const cut = mirror()
      // Not while Node itself starts.
      await wait(milliseconds * (0.25 + 0.75 * next()))
      cut.kill('SIGKILL')
      if ((await cut.ended).exit === 'SIGKILL') killed += 1
      const resumed = await mirror().ended
      expect(resumed, `round ${round}`).toMatchObject({ exit: 0 })
      expect(await comparable(join(content, 'seq1-baseline')), `round ${round}`).toEqual(expected)
      await expectTidy('seq1-baseline')
    }
    expect(killed).toBeGreaterThan(KILLS / 2)
    expect((await seqMeta(['verify', content])).exit).toBe(0)
  })
})

describe('a run that is slow', () => {
  let proxy: FaultProxy
  let config: string
  let held: PromiseWithResolvers<void>

  beforeEach(async () => {
    proxy = await startFaultProxy(lane.source.url)
    config = await writeConfig(
      scratch.at('slow.yaml'),
      images.map((image) => `${proxy.host}/${nameOf(image)}`),
    )
    held = Promise.withResolvers<void>()
    // The last blobs wait until the test lets them through.
    proxy.faults = async ({ path, method }) => {
      if (method === 'GET' && path.includes('/wide/blobs/')) await held.promise
      return undefined
    }
  })

  afterEach(async () => {
    held.resolve()
    await proxy[Symbol.asyncDispose]()
  })

  const isFetching = () =>
    expect
      .poll(() => proxy.requests.filter(({ path }) => path.includes('/wide/blobs/')).length, {
        timeout: 10_000,
      })
      .toBeGreaterThan(0)

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'ends at %s with %i, says so on the pipe, and goes on at the next run',
    async (signal, exit) => {
      const cut = mirror(config)
      await isFetching()
      const others = new Set(
        [...images, ...attachments]
          .filter(({ repository }) => repository !== 'wide')
          .flatMap(({ sample }) => [...digestsOf(sample).blobs]),
      )
      const arrived = () =>
        new Set(
          proxy.requests
            .filter(({ path, answered }) => answered && path.includes('/blobs/') && !path.includes('/wide/'))
            .map(({ path }) => path),
        ).size
      // All but the empty one.
      await expect.poll(arrived, { timeout: 10_000 }).toBe(others.size - 1)
      await wait(200)
      const sent = performance.now()
      cut.kill(signal)
      const ended = await cut.ended
      expect(performance.now() - sent).toBeLessThan(2000)
      expect(ended.exit).toBe(exit)
      expect(documents(ended)).toMatchObject([{ kind: 'Failure', result: { ok: false } }])
      const before = proxy.requests.length
      proxy.faults = () => undefined
      const resumed = await mirror(config).ended
      expect(resumed.exit, resumed.stderr).toBe(0)
      // Only blobs that had not arrived, and no manifest again.
      const again = proxy.requests.slice(before).filter(({ path }) => path !== '/v2/')
      expect(again.length).toBeGreaterThan(0)
      expect(again.filter(({ path }) => !path.includes('/wide/blobs/'))).toEqual([])
      await expectTidy('seq1-baseline')
    },
  )

  test('keeps others out of its content directory, unless they wait', async () => {
    const first = mirror(config)
    await isFetching()
    const refused = await mirror(config).ended
    expect(refused.exit).toBe(75)
    expect(documents(refused)).toMatchObject([
      { errors: [{ code: 'LOCK_HELD', message: expect.stringContaining('mirror-seq') as string }] },
    ])
    const waiting = mirror(config, '--wait', '30')
    await wait(300)
    held.resolve()
    expect((await first.ended).exit).toBe(0)
    const ended = await waiting.ended
    expect(ended.exit, ended.stderr).toBe(0)
    expect(documents(ended)).toMatchObject([{ name: 'seq1-baseline', result: { changed: false } }])
  })

  test('whose reader has gone is ended, quietly, with 141', async () => {
    held.resolve()
    const ended = await shell(
      installed,
      scratch.path,
      `mirror-seq -c slow.yaml --content content -q | true; echo "\${PIPESTATUS[0]}"`,
    )
    expect(ended).toMatchObject({ stderr: '' })
    expect(ended.stdout.toString()).toBe('141\n')
    expect((await seqMeta(['verify', content])).exit).toBe(0)
  })
})

test('several runs at once on one content directory: one works, the others end with 75', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map(() => mirror().ended))
  const exits = runs.map(({ exit }) => exit)
  expect(exits.filter((exit) => exit === 0).length).toBeGreaterThan(0)
  expect(exits.filter((exit) => exit !== 0 && exit !== 75)).toEqual([])
  await expectTidy('seq1-baseline')
})
