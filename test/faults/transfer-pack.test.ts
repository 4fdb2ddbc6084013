import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need, seed } from './harness/index.ts'
import { disturbCalls } from './transfer/disturb-each.ts'
import { measure } from './transfer/disturb-transfer.ts'
import { makePackCases } from './transfer/pack-cases.ts'
import { type Site, startSite } from './transfer/site.ts'
import type { TransferCase } from './transfer/transfer-case.ts'

const N = Number(process.env.N)
/** Faults that are tried for each case where not all are asked for. */
const SAMPLE = { SIGKILL: N, EIO: N, ENOSPC: N } as const

let site: Site
let cases: readonly TransferCase[]

beforeAll(async () => {
  await need('strace', 'sha256sum', 'cp')
  site = await startSite('transfer-pack')
  cases = await makePackCases(site)
})

afterAll(() => site[Symbol.asyncDispose]())

const rootOf = (slot: number) => site.scratch.at(`slot-${slot}`)

describe.for(['an empty medium', 'a run that goes on'] as const)('%s', (name) => {
  test.for(['SIGKILL', 'EIO', 'ENOSPC'] as const)(
    '%s at any call leaves whole volumes or none, and a second run ends it',
    async (what) => {
      const it = await measure(
        cases.find((one) => one.name === name)!,
        rootOf(0),
      )
      const { places, found } = await disturbCalls(it, what, SAMPLE[what], rootOf)
      expect(places).toBeGreaterThan(100)
      expect(found, `of ${places} places, with CARRYALL_SEED=${seed}`).toEqual([])
    },
  )
})
