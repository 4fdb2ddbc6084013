import { expect, test } from 'vitest'
import { CODES } from '@carryall/errors'
import type { SyncedImage } from '@carryall/schemas'
import {
  discoveryEvent,
  failureEvent,
  finalReport,
  loginEvent,
  progressEvent,
  startupEvent,
} from './events.ts'
import { imageEvents } from './image-events.ts'
import { logCode, type Doing } from './log-code.ts'
import { makeReport } from './report.ts'
import { digestOf, factsOf, outcomeOf, PLAN_DIGEST, planned, planOf, TOOL } from './testing/sync-samples.ts'

const OLD = digestOf('old')
const app = planned('team/app:v1')
const way = 'prod.example/team/app:v1 -> dr.example/team/app:v1'

test.each<[string, Doing | undefined, string]>([
  ['AUTH_DENIED', 'reading', 'LOGIN_FAILED'],
  ['AUTH_REQUIRED', undefined, 'LOGIN_FAILED'],
  ['LOGIN_FAILED', undefined, 'LOGIN_FAILED'],
  ['API_TOKEN_MISSING', 'listing', 'LOGIN_FAILED'],
  ['API_PROTOCOL', 'listing', 'API_PROTOCOL'],
  ['NET_TIMEOUT', 'listing', 'API_REQUEST_FAILED'],
  ['NET_TIMEOUT', 'reading', 'SYNC_PULL_FAILED'],
  ['NET_TIMEOUT', 'writing', 'SYNC_PUSH_FAILED'],
  ['NET_TIMEOUT', undefined, 'SYNC_FAILED'],
  ['REG_MANIFEST_UNKNOWN', undefined, 'SYNC_PULL_FAILED'],
  ['REG_READ_ONLY', undefined, 'SYNC_PUSH_FAILED'],
  ['REG_VERIFY_AFTER_PUSH', undefined, 'SYNC_VERIFY_FAILED'],
  ['TAG_CONFLICT', 'writing', 'SYNC_CONFLICT'],
])('%s while %s is logged as %s', (code, doing, logged) => {
  expect(logCode(code, doing)).toBe(logged)
})

test('every error has a code of a family that is known to operators', () => {
  for (const code of Object.keys(CODES))
    for (const doing of [undefined, 'listing', 'reading', 'writing'] as const)
      expect(logCode(code, doing)).toMatch(/^(?:API|LOGIN|SYNC)_[A-Z_]+$/)
})

const events = (more: Partial<SyncedImage>, image = app): string[] =>
  imageEvents(outcomeOf(image, more)).map(({ level, code }) => `${level} ${code}`)
const error = { code: 'REG_READ_ONLY', message: 'No writes' }

test('what became of an image is told by its code', () => {
  expect(events({ outcome: 'copied' })).toEqual(['INFO SYNC_SUCCESS'])
  expect(events({ outcome: 'copied', verified: 'tag' })).toEqual(['INFO SYNC_SUCCESS', 'INFO IMAGE_VERIFIED'])
  expect(events({ outcome: 'moved', verified: 'deep', previous_digest: OLD })).toEqual([
    'INFO SYNC_SUCCESS',
    'INFO IMAGE_VERIFIED',
  ])
  expect(events({ outcome: 'same', verified: 'tag' })).toEqual(['DEBUG IMAGE_EXISTS', 'INFO SYNC_SKIPPED'])
  expect(events({ outcome: 'conflict', previous_digest: OLD })).toEqual(['WARNING SYNC_CONFLICT'])
  expect(events({ outcome: 'deleted', previous_digest: OLD })).toEqual(['WARNING IMAGE_DELETED'])
  expect(events({ outcome: 'failed', error })).toEqual(['ERROR SYNC_PUSH_FAILED'])
  expect(events({ outcome: 'failed' })).toEqual(['ERROR SYNC_FAILED'])
  expect(events({ outcome: 'not_tried', error })).toEqual(['WARNING SYNC_NOT_TRIED'])
  expect(events({ outcome: 'kept', state: 'extra' })).toEqual(['INFO IMAGE_EXTRA'])
})

test('a check tells how each image was found', () => {
  expect(events({ state: 'same' })).toEqual(['DEBUG IMAGE_EXISTS'])
  expect(events({ state: 'missing' })).toEqual(['WARNING IMAGE_MISSING'])
  expect(events({ state: 'diverged', previous_digest: OLD })).toEqual(['WARNING IMAGE_DIVERGED'])
  expect(events({ state: 'extra' })).toEqual(['INFO IMAGE_EXTRA'])
  expect(events({ state: 'unreadable', error: { code: 'REG_MANIFEST_UNKNOWN', message: '' } })).toEqual([
    'ERROR SYNC_PULL_FAILED',
  ])
})

test('the lines are those that operators look for', () => {
  expect(imageEvents(outcomeOf(app, { outcome: 'copied' }))).toEqual([
    { level: 'INFO', code: 'SYNC_SUCCESS', what: 'Image Sync', message: `Successfully synced: ${way}` },
  ])
  const [failed] = imageEvents(outcomeOf(app, { outcome: 'failed', error }))
  expect(failed!.message).toBe(`${way}: REG_READ_ONLY: No writes`)
  expect(startupEvent(TOOL, planOf([]).pairs)).toMatchObject({ code: 'STARTUP', what: 'reg-sync Startup' })
  expect(loginEvent('dr.example')).toMatchObject({ level: 'INFO', code: 'LOGIN_OK' })
  expect(failureEvent({ code: 'AUTH_REQUIRED', message: 'No' }, 'listing')).toMatchObject({
    level: 'ERROR',
    code: 'LOGIN_FAILED',
    what: 'Registry Login',
  })
  expect(discoveryEvent('docker://prod.example', 270, 810)).toMatchObject({ code: 'DISCOVERY_COMPLETE' })
  expect(failureEvent(error, 'listing')).toMatchObject({
    code: 'API_REQUEST_FAILED',
    what: 'Repository Discovery',
  })
  expect(failureEvent(error)).toMatchObject({ code: 'SYNC_PUSH_FAILED', what: 'Registry Sync' })
  const progress = {
    done: 50,
    of: 270,
    synced: 1,
    skipped: 2,
    failed: 3,
    bytes: 0,
    totalBytes: 0,
    seconds: 1,
  }
  const { code, message } = progressEvent(progress)
  expect(code).toBe('PROGRESS_UPDATE')
  expect(message).toContain('Repository 50/270 complete (18.5%)')
})

test('the end tells duration, repositories, images and success rate', () => {
  const images = [app, planned('team/app:v2'), planned('team/b:v1', { state: 'same', action: 'none' })]
  const outcomes = new Map([
    [images[0]!, outcomeOf(images[0]!, { outcome: 'copied' })],
    [images[1]!, outcomeOf(images[1]!, { outcome: 'failed' })],
  ])
  const report = makeReport({ plan: planOf(images), planDigest: PLAN_DIGEST, outcomes, facts: factsOf() })
  const lines = finalReport(report)
  expect(new Set(lines.map(({ code }) => code))).toEqual(new Set(['FINAL_REPORT']))
  const text = lines.map(({ message }) => message).join('\n')
  for (const part of ['1m 30s', 'processed: 2', 'synced: 1', 'skipped: 1', 'failed: 1', '66.6%', '2 of 3'])
    expect(text).toContain(part)
})
