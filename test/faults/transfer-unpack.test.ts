import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need, sample, seed } from './harness/index.ts'
import { disturbEach } from './transfer/disturb-each.ts'
import { measure } from './transfer/disturb-transfer.ts'
import { countStarts } from './transfer/kill-at-program.ts'
import { type Site, startSite } from './transfer/site.ts'
import type { TransferCase } from './transfer/transfer-case.ts'
import { makeUnpackCases } from './transfer/unpack-cases.ts'

/** Faults that are tried for each case where not all are asked for. */
const SAMPLE = { SIGKILL: Number(process.env.N ?? 80), EIO: Number(process.env.N ?? 12), ENOSPC: Number(process.env.N ?? 12) } as const
/** Runs at once, each in a directory of its own. */
const AT_ONCE = 2

let site: Site
let cases: readonly TransferCase[]

beforeAll(async () => {
  await need('strace', 'sha256sum', 'cp')
  site = await startSite('transfer-unpack')
  cases = await makeUnpackCases(site)
})

afterAll(() => site[Symbol.asyncDispose]())

describe.for(['a fresh site', 'a run that goes on'])('%s', (name) => {
  test.for(['SIGKILL', 'EIO', 'ENOSPC'] as const)('%s at any call', async (what) => {
      const root = (slot: number) => site.scratch.at(`slot-${slot}`)
      const it = await measure(cases.find((one) => one.name === name)!, root(0))
      const all = placesIn(root(0), it.calls, what)
      console.log(name, what, all.length)
      expect(it.after.faults).toEqual([])
      const chosen = sample(all, SAMPLE[what]).values()
      const found: string[] = []
      const worker = async (slot: number): Promise<void> => {
        for (const fault of chosen) found.push(...(await disturbTransfer(it, fault, root(slot))))
      }
      await Promise.all(Array.from({ length: AT_ONCE }, (_, slot) => worker(slot)))
      expect(found, `of ${all.length} places, with CARRYALL_SEED=${seed}`).toEqual([])
  })
})

test.for(['flock', 'logger'])('SIGKILL when %s begins and when it has ended', async (program) => {
  const one = cases[0]!
  const { before, after } = await measure(one, rootOf(0))
  await one.prepare(rootOf(0))
  const starts = await countStarts(one.argv(rootOf(0)), program)
  expect(starts).toBeGreaterThan(1)
  console.log(program, starts)
})
