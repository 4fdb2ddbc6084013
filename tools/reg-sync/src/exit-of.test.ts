import { expect, test } from 'vitest'
import type { PlannedSync, SyncedImage } from '@carryall/schemas'
import { errorsOf } from './errors-of.ts'
import { exitOf } from './exit-of.ts'
import { makeReport } from './report.ts'
import { digestOf, factsOf, outcomeOf, PLAN_DIGEST, planned, planOf } from './testing/sync-samples.ts'

const present = digestOf('old')
const same = planned('a:same', { state: 'same', action: 'none' })
const missing = planned('a:missing')
const other = planned('a:other')
const diverged = planned('a:diverged', { state: 'diverged', action: 'refuse', present })
const extra = planned('a:extra', { state: 'extra', action: 'none', present })
const unreadable = planned('a:unreadable', { state: 'unreadable', action: 'none' })

const failed = (code: string): Partial<SyncedImage> => ({
  outcome: 'failed',
  error: { code, message: 'Why' },
})
const untried = (code: string): Partial<SyncedImage> => ({
  outcome: 'not_tried',
  error: { code, message: 'Why' },
})
const copied: Partial<SyncedImage> = { outcome: 'copied' }

function reportOf(
  images: readonly (readonly [PlannedSync, Partial<SyncedImage>?])[],
  mode: 'sync' | 'check',
  source_complete = true,
) {
  return makeReport({
    plan: planOf(
      images.map(([image]) => image),
      { source_complete },
    ),
    planDigest: PLAN_DIGEST,
    outcomes: new Map(
      images.flatMap(([image, outcome]) =>
        outcome === undefined ? [] : [[image, outcomeOf(image, outcome)]],
      ),
    ),
    facts: factsOf({ mode }),
  })
}

test.each<[string, number, readonly PlannedSync[]]>([
  ['all is in sync', 0, [same]],
  ['there is nothing', 0, []],
  ['there is more', 0, [same, extra]],
  ['something is missing', 83, [same, missing, extra]],
  ['something has diverged', 84, [same, diverged]],
  ['something is unreadable', 69, [same, unreadable]],
  ['all of that', 84, [missing, diverged, unreadable]],
  ['missing and unreadable', 83, [missing, unreadable]],
])('a check where %s exits with %i', (_what, exit, images) => {
  const report = reportOf(
    images.map((image) => [image]),
    'check',
  )
  expect(exitOf(report)).toBe(exit)
  expect(errorsOf(report).map(({ code }) => code)).toEqual(exit === 0 ? [] : ['SYNC_NOT_READY'])
})

test('a check that asks for deletions takes what is extra for a difference', () => {
  const report = reportOf([[same], [extra]], 'check')
  expect(exitOf(report, { deleteExtra: true })).toBe(84)
  expect(errorsOf(report, { deleteExtra: true })).toHaveLength(1)
  expect(errorsOf(report)).toEqual([])
  expect(exitOf(reportOf([[same]], 'check'), { deleteExtra: true })).toBe(0)
})

test('a source that was not listed to its end is incomplete, also where all that is known is in sync', () => {
  expect(exitOf(reportOf([[same]], 'check', false))).toBe(83)
  expect(exitOf(reportOf([[same]], 'sync', false))).toBe(83)
  expect(errorsOf(reportOf([[same]], 'sync', false)).map(({ code }) => code)).toEqual(['SYNC_NOT_READY'])
})

test.each<[string, number, readonly (readonly [PlannedSync, Partial<SyncedImage>?])[]]>([
  ['all was there', 0, [[same], [extra]]],
  ['all was copied', 0, [[same], [missing, copied]]],
  ['a tag differs', 84, [[same], [diverged], [missing, copied]]],
  ['an image failed', 1, [[same], [missing, failed('NET_TIMEOUT')]]],
  ['an image failed and a tag differs', 1, [[same], [diverged], [missing, failed('NET_TIMEOUT')]]],
  ['an image could not be read', 1, [[same], [unreadable]]],
  ['a digest is wrong', 82, [[same], [missing, failed('DIGEST_MISMATCH')]]],
  [
    'a server broke the protocol',
    76,
    [[same], [missing, failed('REG_PROTOCOL')], [other, failed('NET_TIMEOUT')]],
  ],
  [
    'a digest is wrong and a server broke the protocol',
    82,
    [[same], [missing, failed('REG_PROTOCOL')], [other, failed('DIGEST_MISMATCH')]],
  ],
  [
    'nothing could be copied',
    69,
    [
      [missing, failed('NET_UNAVAILABLE')],
      [other, failed('NET_TIMEOUT')],
    ],
  ],
  ['nobody may read', 77, [[missing, failed('AUTH_DENIED')], [extra]]],
  ['one may not be read', 1, [[same], [missing, failed('AUTH_DENIED')]]],
  [
    'a registry is read-only',
    77,
    [[same], [missing, failed('REG_READ_ONLY')], [other, untried('REG_READ_ONLY')]],
  ],
  [
    'a registry was given up',
    69,
    [[same], [diverged], [missing, failed('REG_DISK_FULL')], [other, untried('REG_DISK_FULL')]],
  ],
  ['the last image found the disk full', 69, [[same], [missing, failed('REG_DISK_FULL')]]],
  ['a repository takes no writes', 77, [[same], [missing, failed('REG_READ_ONLY')]]],
  ['the run ended before', 1, [[same], [missing]]],
  ['a newer release has another code', 1, [[missing, failed('LATER')]]],
])('a run where %s exits with %i', (_what, exit, images) => {
  const report = reportOf(images, 'sync')
  expect(exitOf(report)).toBe(exit)
  expect(errorsOf(report).length > 0).toBe(exit !== 0)
})

test('each image that did not arrive has its error', () => {
  const report = reportOf(
    [[same], [diverged], [missing, failed('NET_TIMEOUT')], [other, failed('LATER')]],
    'sync',
  )
  expect(errorsOf(report).map(({ code, details }) => [code, details.subject?.name])).toEqual([
    ['TAG_CONFLICT', 'dr.example/a:diverged'],
    ['NET_TIMEOUT', 'dr.example/a:missing'],
    ['ITEMS_FAILED', 'dr.example/a:other'],
  ])
})

test('what many images have in common is told once, and of many reasons some', () => {
  const all = Array.from({ length: 30 }, (_, at) => planned(`a:v${at}`))
  const alike = reportOf(
    all.map((image) => [image, failed('REG_READ_ONLY')]),
    'sync',
  )
  expect(errorsOf(alike).map(({ code }) => code)).toEqual(['REG_READ_ONLY'])
  const various = reportOf(
    all.map((image, at) => [
      image,
      { outcome: 'failed', error: { code: 'NET_TIMEOUT', message: `Why ${at}`, hint: 'Wait' } },
    ]),
    'sync',
  )
  const errors = errorsOf(various)
  expect(errors).toHaveLength(21)
  expect([errors[0]!.details.hint, errors[20]!.code]).toEqual(['Wait', 'ITEMS_FAILED'])
  const differing = reportOf(
    all.map((image) => [{ ...image, state: 'diverged', action: 'refuse', present }]),
    'sync',
  )
  expect(errorsOf(differing).map(({ code }) => code)).toEqual(['TAG_CONFLICT'])
})
