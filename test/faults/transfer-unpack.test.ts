import { appendFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Breach, findBreaches, need, seed } from './harness/index.ts'
import { disturbCalls, disturbStarts } from './transfer/disturb-each.ts'
import { measure } from './transfer/disturb-transfer.ts'
import { countStarts } from './transfer/kill-at-program.ts'
import { halfDone } from './transfer/picture.ts'
import { type Site, startSite } from './transfer/site.ts'
import { makeUnpackCases, type UnpackCase } from './transfer/unpack-cases.ts'

/** Faults that are tried for each case where not all are asked for. */
const SAMPLE = { SIGKILL: 76, EIO: 8, ENOSPC: 8, flock: 10, logger: 2 } as const
/** What there is beside shipments, headstones, state and receipt when all is done. */
const TIDY = [
  'content',
  'content/sample',
  'content/sample/.carryall',
  'content/sample/.carryall/headstones',
  'content/sample/.carryall/lock',
  'content/sample/.carryall/passed',
  'content/sample/.carryall/staging',
  'state',
  'state/audit.lock',
  'state/chains',
  'state/chains/.lock',
]

/** It only grows, so it has its name from the start. */
const LOG = 'state/audit.ndjson'

/** Staging: small files are synced with the tree that they are in, before it gets its name, and what is removed is not synced at all. */
function isMeant({ rule, path }: Breach): boolean {
  if (rule === 'a file is created exclusively') return path.endsWith('/tree/parts')
  if (rule !== 'what gets a name is synced before') return false
  return /\/(?:tree|(?:headstones|passed)\/\.[^/]+)\/(?:.*\/)?\.carryall-tmp-[^/]+$|\/staging\/[^/]+\/parts$/.test(
    path,
  )
}

let site: Site
let cases: readonly UnpackCase[]

beforeAll(async () => {
  await need('strace', 'sha256sum', 'cp', 'unshare', 'mount')
  site = await startSite('transfer-unpack')
  cases = await makeUnpackCases(site)
})

afterAll(() => site[Symbol.asyncDispose]())

const caseOf = (name: UnpackCase['name']) => cases.find((one) => one.name === name)!
const rootOf = (slot: number) => site.scratch.at(`slot-${slot}`)

test('the checker finds what may not be', async () => {
  const one = caseOf('a fresh site')
  const { before, after } = await measure(one, rootOf(0))
  const shipment = join(rootOf(0), 'content/sample/seq1-sample')
  const headstone = join(rootOf(0), 'content/sample/.carryall/headstones/seq1-sample')
  const faults = async () => (await one.read(rootOf(0))).faults
  expect(await faults()).toEqual([])
  await appendFile(join(shipment, 'sub/small'), ' ')
  expect(await faults()).toEqual([expect.stringContaining('sub/small: FAILED')])
  await truncate(join(shipment, 'sub/small'), (await stat(join(shipment, 'sub/small'))).size - 1)
  await writeFile(join(shipment, '.carryall-tmp-0'), '')
  expect(await faults()).toEqual([expect.stringContaining('holds .carryall-tmp-0,')])
  await rm(join(shipment, '.carryall-tmp-0'))
  await rm(join(headstone, 'SHA256SUMS'))
  expect(halfDone(await one.read(rootOf(0)), before, after)).toEqual([
    expect.stringContaining('headstones/seq1-sample is {'),
  ])
  await rm(shipment, { recursive: true })
  await appendFile(join(rootOf(0), LOG), '{"action":"land","outcome":"done","subject":{}}\n')
  expect(await faults()).toEqual([expect.stringContaining('the audit log does not go on')])
})

describe.for(['a fresh site', 'a run that goes on'] as const)('%s', (name) => {
  test('its calls are in the order that durability asks for', async () => {
    const root = rootOf(0)
    const { before, after, calls } = await measure(caseOf(name), root)
    expect(after.faults).toEqual([])
    expect(after.others).toEqual(TIDY)
    const finals = [...Object.keys(after.whole), ...Object.keys(after.memory)]
      .filter((path) => !(path in before.whole) && path !== LOG)
      .map((path) => join(root, path))
    expect(finals.length).toBeGreaterThan(4)
    expect(findBreaches(calls, finals).filter((breach) => !isMeant(breach))).toEqual([])
  })

  test.for(['SIGKILL', 'EIO', 'ENOSPC'] as const)(
    '%s at any call publishes all or nothing, and a second run ends it',
    async (what) => {
      const it = await measure(caseOf(name), rootOf(0))
      const { places, found } = await disturbCalls(it, what, SAMPLE[what], rootOf)
      expect(places).toBeGreaterThan(100)
      expect(found, `of ${places} places, with CARRYALL_SEED=${seed}`).toEqual([])
    },
  )
})

test.for(['flock', 'logger'] as const)(
  'SIGKILL when %s begins, and when it has done its work',
  async (program) => {
    const it = await measure(caseOf('a fresh site'), rootOf(0))
    await it.one.prepare(rootOf(0))
    const starts = await countStarts(it.one.argv(rootOf(0)), program)
    expect(starts).toBeGreaterThan(1)
    const { found } = await disturbStarts(it, program, starts, SAMPLE[program], rootOf)
    expect(found, `with CARRYALL_SEED=${seed}`).toEqual([])
  },
)
