import { expect, test } from 'vitest'
import { parseDocument, syncReportKind, type PlannedSync, type SyncedImage } from '@carryall/schemas'
import { makeReport } from './report.ts'
import { inShard } from './shard.ts'
import { digestOf, factsOf, outcomeOf, PLAN_DIGEST, planned, planOf } from './testing/sync-samples.ts'

const OLD = digestOf('old')
const same = planned('team/a:v1', { state: 'same', action: 'none' })
const missing = planned('team/a:v2', { created: '2026-11-21T07:00:00Z' })
const newer = planned('team/b:v1', { created: '2026-11-21T07:30:00Z' })
const moving = planned('team/b:latest', {
  state: 'diverged',
  action: 'move',
  present: OLD,
  created: '2026-11-20T08:01:30Z',
})
const refused = planned('team/b:v2', { state: 'diverged', action: 'refuse', present: OLD })
const extra = planned('team/c:v0', { state: 'extra', action: 'none', present: OLD })
const unreadable = planned('team/c:v1', {
  state: 'unreadable',
  action: 'none',
  error: { code: 'REG_PROTOCOL', message: 'Not a manifest' },
})
const all = [unreadable, same, missing, newer, moving, refused, extra]

const report = (
  images: readonly PlannedSync[],
  outcomes: readonly (readonly [PlannedSync, Partial<SyncedImage>])[] = [],
  facts: Parameters<typeof factsOf>[0] = {},
  about: Parameters<typeof planOf>[1] = {},
) =>
  makeReport({
    plan: planOf(images, about),
    planDigest: PLAN_DIGEST,
    outcomes: new Map(outcomes.map(([image, outcome]) => [image, outcomeOf(image, outcome)])),
    facts: factsOf(facts),
  })

test('a run is reported as it stands at its end', () => {
  const made = report(
    all,
    [
      [missing, { outcome: 'copied', verified: 'tag', bytes: 1000 }],
      [newer, { outcome: 'failed', error: { code: 'NET_TIMEOUT', message: 'No answer' } }],
      [moving, { outcome: 'moved', verified: 'deep', previous_digest: OLD }],
    ],
    { blobs: { present: 1, mounted: 2, uploaded: 3, uploadedBytes: 1000 }, journal: '/var/lib/run.ndjson' },
  )
  expect(made.readiness).toEqual({
    ready: false,
    images: 6,
    in_sync: 3,
    missing: 1,
    diverged: 1,
    extra: 1,
    unreadable: 1,
    newest: { image: 'prod.example/team/b:v1', created: '2026-11-21T07:30:00Z' },
    lag_seconds: 1890,
  })
  expect(made.totals).toEqual({
    repositories: 3,
    same: 1,
    copied: 1,
    moved: 1,
    conflicts: 1,
    deleted: 0,
    failed: 2,
    not_tried: 0,
    success_rate: 50,
    blobs_present: 1,
    blobs_mounted: 2,
    blobs_uploaded: 3,
    uploaded_bytes: 1000,
    verified: 2,
  })
  expect(made).toMatchObject({
    seconds: 90,
    time: '2026-11-21T08:00:00.000Z',
    journal: '/var/lib/run.ndjson',
  })
  expect(
    made.images.map(({ destination: { repository, tag }, outcome }) => `${repository}:${tag} ${outcome}`),
  ).toEqual([
    'team/a:v1 same',
    'team/a:v2 copied',
    'team/b:latest moved',
    'team/b:v1 failed',
    'team/b:v2 conflict',
    'team/c:v0 kept',
    'team/c:v1 failed',
  ])
  expect(made.images[4]).toMatchObject({ previous_digest: OLD })
  expect(made.images[6]).toMatchObject({ error: { code: 'REG_PROTOCOL' } })
  expect(parseDocument(made, 'x')).toEqual(made)
})

test('keys are in the order of the schema', () => {
  const made = report(all, [], { journal: 'x', shards: [{ index: 1, count: 1 }] })
  const { shape } = syncReportKind.schema
  const inOrder = (object: object, keys: readonly string[]): void =>
    expect(Object.keys(object)).toEqual(keys.filter((key) => Object.hasOwn(object, key)))
  inOrder(made, Object.keys(shape))
  inOrder(made.readiness, Object.keys(shape.readiness.shape))
  inOrder(made.totals, Object.keys(shape.totals.shape))
})

test('what the run did not come to was not tried', () => {
  const { totals, readiness } = report([same, missing, moving])
  expect(totals).toMatchObject({ not_tried: 2, same: 1, copied: 0, success_rate: 33.3 })
  expect(readiness).toMatchObject({ ready: false, in_sync: 1, missing: 1, diverged: 1 })
})

test('with all in place it is ready, whatever else is there', () => {
  const { readiness, totals } = report([same, missing, extra], [[missing, { outcome: 'copied' }]])
  expect(readiness).toEqual({
    ready: true,
    images: 2,
    in_sync: 2,
    missing: 0,
    diverged: 0,
    extra: 1,
    unreadable: 0,
    lag_seconds: 0,
  })
  expect(totals.success_rate).toBe(100)
})

test('an image of ten thousand that is missing is not 100 percent', () => {
  const images = Array.from({ length: 9999 }, (_, at) =>
    planned(`team/a:v${at}`, { state: 'same', action: 'none' }),
  )
  expect(report([...images, missing]).totals.success_rate).toBe(99.9)
  expect(report([]).totals.success_rate).toBe(100)
})

test('what was not listed to its end is not ready', () => {
  expect(report([same], [], {}, { source_complete: false }).readiness.ready).toBe(false)
})

test('what is the same and cannot be proven is not in sync', () => {
  const error = { code: 'REG_VERIFY_AFTER_PUSH', message: 'A blob is gone' }
  const { readiness } = report([same], [[same, { outcome: 'failed', error }]])
  expect(readiness).toMatchObject({ ready: false, in_sync: 0, unreadable: 1 })
})

test('what was deleted is extra no more', () => {
  const doomed = { ...extra, action: 'delete' as const }
  expect(report([same, doomed], [[doomed, { outcome: 'deleted' }]])).toMatchObject({
    readiness: { extra: 0, ready: true },
    totals: { deleted: 1 },
  })
})

test('a check tells what it found, without outcomes', () => {
  const made = report(all, [], { mode: 'check' })
  expect(made.images.every(({ outcome }) => outcome === undefined)).toBe(true)
  expect(made.readiness).toMatchObject({
    images: 6,
    in_sync: 1,
    missing: 2,
    diverged: 2,
    extra: 1,
    unreadable: 1,
  })
  expect(made.totals).toMatchObject({ same: 1, copied: 0, conflicts: 0, failed: 0, not_tried: 0 })
  expect(made.readiness.lag_seconds).toBe(86_400)
  expect(made.images.find(({ destination }) => destination.tag === 'v2')).toMatchObject({ state: 'missing' })
  expect(made.images.find(({ destination }) => destination.tag === 'latest')).toMatchObject({
    previous_digest: OLD,
  })
})

test('an API without times tells no lag', () => {
  const { readiness } = report([planned('a:v1')])
  expect(readiness).not.toHaveProperty('lag_seconds')
  expect(readiness).not.toHaveProperty('newest')
})

test('a part of a plan is reported without the others', () => {
  const images = Array.from({ length: 40 }, (_, at) => planned(`team/${at}:v1`))
  const shard = { index: 2, count: 3 }
  const made = report(images, [], { shards: [shard] })
  expect(made.shards).toEqual([shard])
  expect(new Set(made.images.map(({ destination }) => destination.repository))).toEqual(
    new Set(images.map(({ destination }) => destination.repository).filter((name) => inShard(name, shard))),
  )
  expect(made.readiness.images).toBe(made.images.length)
})
