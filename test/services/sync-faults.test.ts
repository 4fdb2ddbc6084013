import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SyncReport } from '@carryall/schemas'
import { sampleImage, sampleIndex, sampleLayer } from '@carryall/oci/testing'
import { sample } from '../faults/harness/index.ts'
import { faultRules, type FaultRule } from '../support/fault-rules.ts'
import type { Phase } from '../support/proxied.ts'
import { failure, only } from '../support/ran.ts'
import { startSyncEnds, type SyncEnds } from '../support/sync-ends.ts'
import { FAULT_KINDS, type FaultKind, type SyncEnd, type SyncPhase } from '../support/sync-fault-kinds.ts'
import { lacking, storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

const shared = sampleLayer('shared', 20_000)
const images = [
  {
    repository: 'set/a',
    tag: '1',
    sample: sampleIndex([
      sampleImage('a', { shared: [shared] }),
      sampleImage('a-arm', { architecture: 'arm64' }),
    ]),
  },
  { repository: 'set/b', tag: '1', sample: sampleImage('b', { shared: [shared] }) },
  { repository: 'set/c', tag: '1', sample: sampleImage('c') },
]

/** Which side a phase is about, and what is asked there. */
const PHASES: Readonly<Record<SyncPhase, readonly ['source' | 'destination', ...Phase[]]>> = {
  listing: ['source', 'list'],
  reading: ['source', 'manifest-get', 'blob-get'],
  uploading: ['destination', 'upload-begin', 'upload-patch', 'upload-put'],
  manifests: ['destination', 'manifest-put', 'read-back'],
}

let ends: SyncEnds
let cells = 0
/** Each cell goes below a path of its own. */
let cell: string
beforeAll(async () => {
  ends = await startSyncEnds()
  await storeImages(ends.source.registry.storage, images)
  return () => ends[Symbol.asyncDispose]()
})
beforeEach(() => {
  cell = `cell-${++cells}`
  ends.heal()
})

const sync = (timeout = '60s') =>
  regSync([
    `${ends.operands[0]}/set`,
    `${ends.operands[1]}/${cell}`,
    ...['--retry-delay', '1ms', '--retry-times', '3', '--api-timeout', timeout],
  ])

/** What is there by now, each of it right and whole. */
async function copied(): Promise<readonly string[]> {
  const { storage } = ends.destination.registry
  const tags = await tagsIn(storage, cell)
  for (const [name, digest] of Object.entries(tags)) {
    const repository = name.replace(/:1$/, '')
    const image = images.find((one) => one.repository === repository.replace(cell, 'set'))!
    expect([name, digest]).toEqual([name, image.sample.manifest.digest])
    expect(await lacking(storage, { ...image, repository })).toEqual([])
  }
  return Object.keys(tags).map((name) => name.replace(`${cell}/`, '').replace(/:1$/, ''))
}

async function expectWhole(): Promise<void> {
  const { document } = only<SyncReport>(await sync())
  expect(document.readiness).toMatchObject({ ready: true, images: 3 })
  expect(await copied()).toEqual(['a', 'b', 'c'])
}

/** By the last component of the repository: the code of what failed, undefined for what was copied. */
function codesIn({ images: all }: SyncReport): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    all.map(({ destination, outcome, error }) => [
      destination.repository.replace(`${cell}/`, ''),
      outcome === 'copied' || outcome === 'same' ? undefined : (error?.code ?? outcome),
    ]),
  )
}

/** Those that exist in each phase are drawn from where not all are asked for. */
const everywhere = FAULT_KINDS.filter(({ phases }) => phases === undefined)
const drawn = [...sample(everywhere, 28), ...FAULT_KINDS.filter(({ phases }) => phases !== undefined)]

describe.each(drawn)('$kind', (kind: FaultKind) => {
  test.each(kind.phases ?? (Object.keys(PHASES) as SyncPhase[]))('%s', async (phase) => {
    const [side, ...phases] = PHASES[phase]
    const isListing = phase === 'listing' && kind.stays === undefined
    const rule: FaultRule = {
      phase: kind.requests ?? phases,
      fault: kind.fault,
      ...(isListing ? {} : { path: /\/a\// }),
      ...(kind.stays ? {} : { perRequest: 1, times: 3 }),
    }
    const { proxy } = ends[side]
    proxy.faults = faultRules(1, [rule])
    const before = proxy.requests.length
    const ran = await sync(kind.timeout)
    expect(proxy.requests.slice(before).filter(({ fault }) => fault !== undefined)).not.toEqual([])
    const expected = kind[phase]
    if (expected === undefined) {
      expect(codesIn(only<SyncReport>(ran).document)).toEqual({ a: undefined, b: undefined, c: undefined })
      expect(await copied()).toEqual(['a', 'b', 'c'])
      return
    }
    await expectFailed(ran, expected)
    ends.heal()
    // What was left half-way is no obstacle.
    if (phase === 'manifests') await expectWhole()
  })
})

async function expectFailed(
  ran: Awaited<ReturnType<typeof sync>>,
  { fails, exit, code }: SyncEnd,
): Promise<void> {
  const there = await copied()
  if (ran.documents[0]!['kind'] === 'Failure') {
    expect([failure(ran), fails]).toEqual([[exit, code], 'all'])
    expect(there).toEqual([])
    return
  }
  const codes = codesIn(only<SyncReport>(ran, exit).document)
  const others = { one: [undefined], all: [code], spreads: [undefined, code] }[fails]
  expect(codes['a']).toBe(code)
  for (const name of ['b', 'c']) {
    expect([name, others]).toEqual([name, expect.arrayContaining([codes[name]])])
    // A tag may be right although its image failed: what was asked for last did not prove it.
    if (codes[name] === undefined) expect(there).toContain(name)
  }
}

test('there are enough of them', () => {
  expect(drawn.length).toBeGreaterThan(28)
  expect(everywhere.length).toBeGreaterThan(28)
  expect(new Set(FAULT_KINDS.map(({ kind }) => kind)).size).toBe(FAULT_KINDS.length)
})
