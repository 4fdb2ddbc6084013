import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDocument, type PlannedSync, type SyncedImage, type SyncReport } from '@carryall/schemas'
import { mergeReports, missingShards } from './merge.ts'
import { makeReport } from './report.ts'
import { digestOf, factsOf, NOW, outcomeOf, PLAN_DIGEST, planned, planOf } from './testing/sync-samples.ts'

const STATES = ['missing', 'same', 'diverged', 'extra', 'unreadable'] as const
const OUTCOMES = ['same', 'copied', 'moved', 'conflict', 'deleted', 'kept', 'failed', 'not_tried'] as const
const mismatch = expect.objectContaining({ code: 'SYNC_MISMATCH', exit: 65 })

/** What the machines of a run report, and what one machine would that did all of it. */
function reportsOf(
  images: readonly (readonly [PlannedSync, SyncedImage | undefined])[],
  count: number,
  { mode = 'sync', complete = true }: { mode?: 'sync' | 'check'; complete?: boolean } = {},
): { whole: SyncReport; parts: SyncReport[] } {
  const blobs = { present: 1, mounted: 2, uploaded: 3, uploadedBytes: 4 }
  const times = (factor: number) =>
    Object.fromEntries(Object.entries(blobs).map(([key, value]) => [key, value * factor])) as typeof blobs
  const make = (facts: Parameters<typeof factsOf>[0]): SyncReport =>
    makeReport({
      plan: planOf(
        images.map(([image]) => image),
        { source_complete: complete },
      ),
      planDigest: PLAN_DIGEST,
      outcomes: new Map(
        images.flatMap(([image, outcome]) => (outcome === undefined ? [] : [[image, outcome]])),
      ),
      facts: factsOf({ mode, ...facts }),
    })
  return {
    whole: make({ blobs: times(count) }),
    parts: Array.from({ length: count }, (_, at) => make({ blobs, shards: [{ index: at + 1, count }] })),
  }
}

const anyImage = fc
  .record({
    repository: fc.integer({ min: 0, max: 12 }),
    tag: fc.integer({ min: 0, max: 3 }),
    state: fc.constantFrom(...STATES),
    outcome: fc.option(fc.constantFrom(...OUTCOMES), { nil: undefined }),
    verified: fc.boolean(),
    age: fc.option(fc.integer({ min: 0, max: 100_000_000 }), { nil: undefined }),
  })
  .map(
    ({ repository, tag, state, outcome, verified, age }): readonly [PlannedSync, SyncedImage | undefined] => {
      const created = age === undefined ? {} : { created: new Date(NOW.getTime() - age).toISOString() }
      const image = planned(`team/${repository}:v${tag}`, {
        state,
        action: state === 'missing' ? 'copy' : 'none',
        ...created,
      })
      const more = {
        ...(outcome === undefined ? {} : { outcome }),
        ...(verified ? { verified: 'tag' as const } : {}),
      }
      return [image, outcome === undefined ? undefined : outcomeOf(image, more)]
    },
  )
const anyImages = fc.uniqueArray(anyImage, {
  maxLength: 25,
  selector: ([{ destination }]) => `${destination.repository}:${destination.tag}`,
})

test('however a run was cut, its reports together are the report of the whole', () => {
  fc.assert(
    fc.property(
      anyImages,
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('sync' as const, 'check' as const),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (images, count, mode, complete, order) => {
        const { whole, parts } = reportsOf(images, count, { mode, complete })
        const shuffled = parts
          .map((part) => [order.next().value, part] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, part]) => part)
        const [first, ...rest] = shuffled
        expect(mergeReports([first!, ...rest])).toEqual(whole)
        // Two at a time as well.
        expect(rest.reduce((sum, part) => mergeReports([sum, part]), first!)).toEqual(
          count === 1 ? { ...whole, shards: [{ index: 1, count: 1 }] } : whole,
        )
        expect(parseDocument(mergeReports([first!, ...rest]), 'x')).toEqual(whole)
      },
    ),
    { numRuns: 150 },
  )
})

const images = Array.from({ length: 20 }, (_, at) => planned(`team/${at}:v1`))
const failing = reportsOf(
  images.map((image) => [image, outcomeOf(image, { outcome: 'failed' })]),
  4,
).parts as [SyncReport, SyncReport, SyncReport, SyncReport]
const working = reportsOf(
  images.map((image) => [image, outcomeOf(image, { outcome: 'copied' })]),
  4,
).parts

test('the newest report of a part counts', () => {
  const later = { ...working[1]!, time: new Date(NOW.getTime() + 3_600_000).toISOString() }
  for (const reports of [
    [...failing, later],
    [later, ...failing],
  ] as [SyncReport, ...SyncReport[]][]) {
    const merged = mergeReports(reports)
    expect(merged.totals).toMatchObject({
      copied: working[1]!.images.length,
      failed: 20 - working[1]!.images.length,
      blobs_uploaded: 12,
    })
    expect(merged).toMatchObject({ time: NOW.toISOString(), seconds: 3690 })
  }
})

test('the lag is that at the end of the last part', () => {
  const [first, second] = reportsOf(
    [[planned('a:v1', { created: '2026-11-21T07:00:00Z' }), undefined]],
    2,
  ).parts
  const later = ({ readiness, ...report }: SyncReport): SyncReport => ({
    ...report,
    seconds: report.seconds + 1000,
    readiness: { ...readiness, lag_seconds: readiness.images * (readiness.lag_seconds! + 1000) },
  })
  const lag = 3600 + 90 + 1000
  expect(mergeReports([later(first!), second!]).readiness.lag_seconds).toBe(lag)
  expect(mergeReports([first!, later(second!)]).readiness.lag_seconds).toBe(lag)
})

test('parts without a report are named', () => {
  const merged = mergeReports([failing[3], failing[0]])
  expect(merged.shards).toEqual([
    { index: 1, count: 4 },
    { index: 4, count: 4 },
  ])
  expect(missingShards(merged)).toEqual([2, 3])
  expect(missingShards(mergeReports(failing))).toEqual([])
  expect(mergeReports(failing)).not.toHaveProperty('shards')
  expect(missingShards(mergeReports([merged, failing[2]]))).toEqual([2])
})

test.each<[string, readonly [SyncReport, ...SyncReport[]]]>([
  ['of several plans', [failing[0], { ...failing[1], plan_digest: digestOf('other') }]],
  ['of a check and a run', [failing[0], { ...failing[1], mode: 'check' }]],
  ['of other cuts', [failing[0], { ...failing[1], shards: [{ index: 2, count: 3 }] }]],
  ['of a part and of all', [failing[0], { ...failing[1], shards: undefined } as unknown as SyncReport]],
  ['that overlap', [mergeReports([failing[0], failing[1]]), failing[1]]],
])('reports %s are not merged', (_what, reports) => {
  expect(() => mergeReports(reports)).toThrow(mismatch)
})

test('the journal of one part stays', () => {
  expect(mergeReports([{ ...failing[0], journal: 'x' }])).toMatchObject({ journal: 'x' })
  expect(mergeReports([{ ...failing[0], journal: 'x' }, failing[1]])).not.toHaveProperty('journal')
})
