import { expect, test } from 'vitest'
import type { PlannedSync, SyncedImage, SyncEvent } from '@carryall/schemas'
import { destinationKey, doneBefore, failedIn, finished } from './finished.ts'
import { digestOf, outcomeOf, planned } from './testing/sync-samples.ts'

const OLD = digestOf('old')
const app = planned('team/app:v1', { backup_tag: 'v1-old' })
const extra = planned('team/app:v0', { state: 'extra', action: 'delete', present: OLD })

function eventOf(image: PlannedSync, more: Partial<SyncedImage>): SyncEvent {
  const { source, destination, digest, outcome, previous_digest, bytes } = outcomeOf(image, more)
  const head = {
    apiVersion: 'carryall/v1',
    kind: 'SyncEvent',
    time: '2026-11-21T08:00:00Z',
    event: 'image',
  } as const
  return JSON.parse(
    JSON.stringify({
      ...head,
      source,
      destination,
      digest,
      outcome,
      previous_digest,
      bytes,
      milliseconds: 1500,
    }),
  ) as SyncEvent
}

test('an image is known by its name at the destination, or by its digest', () => {
  expect(destinationKey(app.destination, app.digest)).toBe('dr.example/team/app:v1')
  expect(destinationKey({ registry: 'dr.example', repository: 'a' }, OLD)).toBe(`dr.example/a@${OLD}`)
})

test('the last word on an image counts', () => {
  const events = [
    eventOf(app, { outcome: 'failed' }),
    eventOf(app, { outcome: 'copied' }),
    eventOf(planned('team/b:v1'), { outcome: 'same' }),
    eventOf(planned('team/b:v1'), { outcome: 'failed' }),
    eventOf(planned('team/c'), { outcome: 'not_tried' }),
    eventOf(planned('team/d:v1'), { outcome: 'conflict' }),
  ]
  expect([...finished(events).keys()]).toEqual(['dr.example/team/app:v1'])
  expect([...failedIn(events).keys()]).toEqual([
    'dr.example/team/b:v1',
    `dr.example/team/c@${digestOf('team/c')}`,
  ])
})

test('what was done is reported as it was done', () => {
  const before = (image: PlannedSync, more: Partial<SyncedImage>) =>
    doneBefore(finished([eventOf(image, more)]), image)
  expect(before(app, { outcome: 'copied', bytes: 7 })).toEqual(
    outcomeOf(app, { outcome: 'copied', bytes: 7, seconds: 1.5 }),
  )
  expect(before(app, { outcome: 'moved', previous_digest: OLD })).toEqual(
    outcomeOf(app, { outcome: 'moved', previous_digest: OLD, backup_tag: 'v1-old', seconds: 1.5 }),
  )
  expect(before(extra, { outcome: 'deleted', previous_digest: OLD })).toMatchObject({ outcome: 'deleted' })
  expect(before(extra, { outcome: 'kept' })).toMatchObject({ outcome: 'kept' })
})

test('what is another digest by now is to be done', () => {
  const done = finished([
    eventOf(app, { outcome: 'copied' }),
    eventOf(extra, { outcome: 'deleted', previous_digest: OLD }),
  ])
  expect(doneBefore(done, { ...app, digest: OLD })).toBeUndefined()
  expect(doneBefore(done, { ...extra, present: digestOf('newer') })).toBeUndefined()
  expect(doneBefore(done, planned('team/app:v2'))).toBeUndefined()
})
