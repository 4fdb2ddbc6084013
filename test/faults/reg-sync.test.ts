import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SyncReport } from '@carryall/schemas'
import { only } from '../support/ran.ts'
import { regSync } from '../support/tools.ts'
import { isFull, sample, start } from './harness/index.ts'
import { doneIn, sentTwice, wrongAt } from './reg-sync/judge.ts'
import { startSyncSite, type SyncSite } from './reg-sync/site.ts'
import { startTwoSides, type TwoSides } from './reg-sync/two-sides.ts'

/** Moments at which a run is killed. */
const KILLS = 100
/** Runs at once, each with proxies of its own. */
const AT_ONCE = 2

let site: SyncSite
let cells = 0
beforeAll(async () => {
  site = await startSyncSite()
})
afterAll(() => site[Symbol.asyncDispose]())

/** One place below which things are brought, with the arguments for it. */
interface Cell {
  readonly below: string
  readonly journal: string
  readonly argv: Readonly<Record<How, readonly string[]>>
}
type How = 'apply' | 'plain'

async function cellFor({ source, destination }: TwoSides): Promise<Cell> {
  const below = `cell-${++cells}`
  const plan = await site.planFor(below, source, destination)
  const journal = site.scratch.at(`${below}.ndjson`)
  const flags = ['--state-dir', site.scratch.at(`state-${below}`), '-q']
  const ends = [`docker://${source}/set`, `docker://${destination}/${below}`]
  return {
    below,
    journal,
    argv: { apply: ['apply', plan, '--journal', journal, ...flags], plain: [...ends, ...flags] },
  }
}

/** What is wrong when a run is killed as its `at`-th request arrives, and when it is begun again; nothing if all is well. */
async function killAt(sides: TwoSides, at: number, how: How): Promise<readonly string[]> {
  const cell = await cellFor(sides)
  const found: string[] = []
  const run = start(site.argv(...cell.argv[how]))
  sides.when(at, () => void run.kill())
  const { signal } = await run.exit
  if (signal !== 'SIGKILL') found.push(`it was not killed: ${run.stderr()}`)
  found.push(...(await wrongAt(site, cell.below)))
  const done = how === 'apply' ? await doneIn(cell.journal) : []
  sides.forget()
  const again = await regSync(cell.argv[how])
  if (again.exit !== 0) found.push(`the second run ended with ${again.exit}: ${again.stderr}`)
  const asked = new Set(sides.asked().map(({ path }) => path))
  found.push(...done.filter((path) => asked.has(path)).map((path) => `it asked again for ${path}`))
  found.push(...(await wrongAt(site, cell.below, true)))
  // Only a plan tells what images that are done have in common with those that are not.
  const where = how === 'apply' ? 'anywhere' : 'to one repository'
  found.push(...sentTwice(site, cell.below, where).map((blob) => `it sent ${blob} twice`))
  return found.map((text) => `${how}, killed at request ${at}: ${text}`)
}

/** Requests of a run that nothing disturbs. */
async function requestsOf(sides: TwoSides, how: How): Promise<number> {
  const cell = await cellFor(sides)
  sides.forget()
  expect(await regSync(cell.argv[how])).toMatchObject({ exit: 0, stderr: '' })
  expect(await wrongAt(site, cell.below, true)).toEqual([])
  expect(sentTwice(site, cell.below)).toEqual([])
  return sides.asked().length
}

async function killAtEach(how: How, times: number): Promise<void> {
  await using first = await startTwoSides(site)
  const count = await requestsOf(first, how)
  expect(count).toBeGreaterThan(KILLS)
  const points = Array.from({ length: count - 5 }, (_, index) => index + 1)
  const chosen = (isFull ? points : sample(points, times)).values()
  const found: string[] = []
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      await using sides = await startTwoSides(site)
      for (const at of chosen) found.push(...(await killAt(sides, at, how)))
    }),
  )
  expect(found).toEqual([])
}

describe('a run that is killed', () => {
  test(`at any of ${KILLS} requests is gone on with: nothing wrong, nothing asked or sent again`, () =>
    killAtEach('apply', KILLS))

  test('without a plan finds out what is there', () => killAtEach('plain', 10))
})

describe('a run that is to end', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('by %s reports what it did not try, and is gone on with', async (signal, exit) => {
    await using sides = await startTwoSides(site)
    const cell = await cellFor(sides)
    const run = start(site.argv(...cell.argv.apply))
    sides.when(40, () => void run.kill(signal))
    expect((await run.exit).exitCode).toBe(exit)
    const { images, totals } = JSON.parse(run.stdout()) as SyncReport
    expect(totals.not_tried).toBeGreaterThan(0)
    expect(totals.not_tried + totals.copied).toBe(images.length)
    expect(await wrongAt(site, cell.below)).toEqual([])
    const { document } = only<SyncReport>(await regSync(cell.argv.apply))
    expect(document.readiness.ready).toBe(true)
    expect(await wrongAt(site, cell.below, true)).toEqual([])
    expect(sentTwice(site, cell.below)).toEqual([])
  })
})
