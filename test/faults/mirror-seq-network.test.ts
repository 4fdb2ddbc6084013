import { rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { isFull, need, random, type Running, seed, start } from './harness/index.ts'
import { undisturbedRun } from './mirror-seq/cases.ts'
import { ENVIRONMENT, LARGE, type Site, startSite } from './mirror-seq/site.ts'
import { type SlowProxy, startSlowProxy } from './mirror-seq/slow-proxy.ts'
import { stagedBlobs } from './mirror-seq/staged-blobs.ts'
import { readState, type State } from './mirror-seq/state.ts'

const KILLS = isFull ? 60 : 10

let site: Site
let proxy: SlowProxy
let content: string
let argv: readonly string[]
/** What a run comes to that nothing disturbs, and what it asks the source for by digest. */
let after: State
let all: ReadonlySet<string>

beforeAll(async () => {
  await need('docker-registry', 'sha256sum')
  site = await startSite()
  proxy = await startSlowProxy(site.url)
  content = site.scratch.at('content')
  const config = await site.configure('slow.yaml', LARGE, proxy.host)
  // A few at once, so that some are whole while others have not begun.
  argv = site.argv(config, '--content', content, '--max-parallel-downloads', '3')
  await undisturbedRun(argv)
  after = await readState(content, true)
  all = new Set(proxy.asked())
  expect(after.faults).toEqual([])
  expect(all.size).toBeGreaterThan(15)
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
})

beforeEach(clear)

async function clear(): Promise<void> {
  await rm(content, { recursive: true, force: true })
  proxy.pace = 0
  proxy.forget()
}

const begin = (): Running => start(argv, { ...process.env, ...ENVIRONMENT })

/** The next run ends what another one has begun. It asks for nothing that is whole, and for what is not, once. */
async function expectResumed(note: string): Promise<{ readonly kept: number; readonly fetched: number }> {
  const { planned, whole } = await stagedBlobs(content)
  proxy.pace = 0
  proxy.forget()
  await undisturbedRun(argv)
  const asked = proxy.asked().toSorted()
  if (planned.size > 0) {
    expect(asked, note).toEqual([...planned].filter((digest) => !whole.has(digest)).toSorted())
  }
  expect(await readState(content, true), note).toEqual(after)
  return { kept: whole.size, fetched: asked.length }
}

test(`a run that is killed at any time is gone on with (${KILLS} times)`, async () => {
  proxy.pace = 10
  const began = performance.now()
  await undisturbedRun(argv)
  const duration = performance.now() - began
  const next = random(seed)
  let midway = 0
  for (let round = 0; round < KILLS; round++) {
    await clear()
    proxy.pace = 10
    const run = begin()
    const moment = next() * duration
    await wait(moment)
    await run.kill()
    const note = `killed after ${Math.round(moment)} of ${Math.round(duration)} ms, with CARRYALL_SEED=${seed}`
    const { kept, fetched } = await expectResumed(note)
    if (kept > 0 && fetched > 0) midway++
  }
  // Or nothing was proven.
  expect(midway, `with CARRYALL_SEED=${seed}`).toBeGreaterThan(0)
})

/** Starts a run whose source falls silent when it has given some blobs. */
async function beginAndStall(): Promise<Running> {
  proxy.pace = 10
  const run = begin()
  while (proxy.asked().length < all.size - 6 && !run.ended()) await wait(1)
  proxy.pace = 60_000
  // What is under way arrives, or does not.
  await wait(50)
  return run
}

test.for([
  ['SIGINT', 130, 'INTERRUPTED'],
  ['SIGTERM', 143, 'TERMINATED'],
  ['SIGHUP', 129, 'HUNG_UP'],
] as const)(
  '%s while blobs are fetched ends the run in two seconds, and it is gone on with',
  async (given) => {
    const [signal, exitCode, code] = given
    const run = await beginAndStall()
    const asked = performance.now()
    const ending = await run.kill(signal)
    expect(performance.now() - asked).toBeLessThan(2500)
    expect(ending, run.stderr()).toEqual({ exitCode, signal: null })
    expect(JSON.parse(run.stdout())).toMatchObject({
      kind: 'Failure',
      errors: [{ code }],
      result: { ok: false },
    })
    const { kept, fetched } = await expectResumed(signal)
    expect(kept).toBeGreaterThan(0)
    expect(fetched).toBeGreaterThan(0)
  },
)

test('two signals at once end the run at once, and it is gone on with', async () => {
  const run = await beginAndStall()
  void run.kill('SIGTERM')
  const ending = await run.kill('SIGINT')
  expect(ending.exitCode === null ? ending.signal : ending.exitCode).toSatisfy((how) =>
    ['SIGINT', 'SIGTERM', 130, 143].includes(how as string),
  )
  expect((await expectResumed('two signals')).kept).toBeGreaterThan(0)
})
