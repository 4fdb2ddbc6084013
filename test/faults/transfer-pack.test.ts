import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBreaches, need, seed } from './harness/index.ts'
import { disturbCalls, disturbStarts } from './transfer/disturb-each.ts'
import { measure } from './transfer/disturb-transfer.ts'
import { countStarts } from './transfer/kill-at-program.ts'
import { makePackCases, type PackCase } from './transfer/pack-cases.ts'
import { type Site, startSite } from './transfer/site.ts'

/** Faults that are tried for each case where not all are asked for. */
const SAMPLE = { SIGKILL: 68, EIO: 8, ENOSPC: 8, flock: 2, sync: 3 } as const

let site: Site
let cases: readonly PackCase[]

beforeAll(async () => {
  await need('strace', 'sha256sum', 'cp', 'unshare', 'mount')
  site = await startSite('transfer-pack')
  cases = await makePackCases(site)
})

afterAll(() => site[Symbol.asyncDispose]())

const caseOf = (name: PackCase['name']) => cases.find((one) => one.name === name)!
const rootOf = (slot: number) => site.scratch.at(`slot-${slot}`)

describe.for(['an empty medium', 'a run that goes on'] as const)('%s', (name) => {
  test('its calls are in the order that durability asks for', async () => {
    const { before, after, calls } = await measure(caseOf(name), rootOf(0))
    expect(after.faults).toEqual([])
    expect(after.others).toEqual(['out/.carryall-lock'])
    const volumes = Object.entries(after.whole).filter(([volume]) => !(volume in before.whole))
    // What an earlier run staged has its name from that one.
    const isStaged = (volume: string, path: string): boolean =>
      before.others.includes(join('out', `.carryall-partial-${volume}`, path))
    const finals = volumes.flatMap(([volume, tree]) =>
      Object.keys(tree as object)
        .filter((path) => path === '.' || !isStaged(volume, path))
        .map((path) => join(rootOf(0), 'out', volume, path)),
    )
    expect(finals.length).toBeGreaterThan(3)
    expect(findBreaches(calls, finals)).toEqual([])
  })

  test.for(['SIGKILL', 'EIO', 'ENOSPC'] as const)(
    '%s at any call leaves whole volumes or none, and a second run ends it',
    async (what) => {
      const it = await measure(caseOf(name), rootOf(0))
      const { places, found } = await disturbCalls(it, what, SAMPLE[what], rootOf)
      expect(places).toBeGreaterThan(100)
      expect(found, `of ${places} places, with CARRYALL_SEED=${seed}`).toEqual([])
    },
  )
})

test.for(['flock', 'sync'] as const)(
  'SIGKILL when %s begins, and when it has done its work',
  async (program) => {
    const it = await measure(caseOf('an empty medium'), rootOf(0))
    await it.one.prepare(rootOf(0))
    const starts = await countStarts(it.one.argv(rootOf(0)), program)
    expect(starts).toBeGreaterThan(0)
    const { found } = await disturbStarts(it, program, starts, SAMPLE[program], rootOf)
    expect(found, `with CARRYALL_SEED=${seed}`).toEqual([])
  },
)
