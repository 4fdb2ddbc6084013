import { expect, test } from 'vitest'
import { progressLine, RepositoryProgress } from './repository-progress.ts'
import { planned } from './testing/sync-samples.ts'

test('a repository is complete with the last of its images', () => {
  const images = ['team/a:v1', 'team/a:v2', 'team/b:v1'].map((name) => planned(name))
  const progress = new RepositoryProgress(images)
  expect(progress.counts).toEqual({ done: 0, of: 2, synced: 0, skipped: 0, failed: 0 })
  expect(progress.finished(images[0]!, 'copied')).toBe(false)
  expect(progress.finished(images[2]!, 'same')).toBe(true)
  expect(progress.counts).toEqual({ done: 1, of: 2, synced: 1, skipped: 1, failed: 0 })
  expect(progress.finished(images[1]!, 'failed')).toBe(true)
  expect(progress.counts).toEqual({ done: 2, of: 2, synced: 1, skipped: 1, failed: 1 })
})

test('an image that is tried again counts once', () => {
  const image = planned('team/a:v1')
  const progress = new RepositoryProgress([image])
  expect(progress.finished(image, 'failed')).toBe(true)
  expect(progress.finished(image, 'moved')).toBe(false)
  expect(progress.counts).toEqual({ done: 1, of: 1, synced: 1, skipped: 0, failed: 0 })
})

test('a tag that differs and stays was skipped, what was not tried has failed', () => {
  const images = ['a:1', 'a:2', 'a:3', 'a:4'].map((name) => planned(name))
  const progress = new RepositoryProgress(images)
  for (const [at, outcome] of (['conflict', 'not_tried', 'deleted', 'kept'] as const).entries())
    progress.finished(images[at]!, outcome)
  expect(progress.counts).toMatchObject({ synced: 1, skipped: 2, failed: 1 })
})

const base = { done: 50, of: 270, synced: 100, skipped: 40, failed: 2, bytes: 0, totalBytes: 0, seconds: 100 }

test('the line tells how far it is, how fast, and how long it takes', () => {
  expect(progressLine({ ...base, bytes: 1_000_000_000, totalBytes: 5_000_000_000 })).toBe(
    'Repository 50/270 complete (18.5%): 100 synced, 40 skipped, 2 failed; 1.0 GB of 5.0 GB, 10.0 MB/s, 6m 40s left',
  )
  expect(progressLine(base)).toBe(
    'Repository 50/270 complete (18.5%): 100 synced, 40 skipped, 2 failed; 7m 20s left',
  )
})

test('at its begin and its end the line promises nothing', () => {
  expect(progressLine({ ...base, done: 0, seconds: 0 })).toBe(
    'Repository 0/270 complete (0.0%): 100 synced, 40 skipped, 2 failed',
  )
  expect(progressLine({ ...base, done: 270 })).toBe(
    'Repository 270/270 complete (100.0%): 100 synced, 40 skipped, 2 failed',
  )
  expect(progressLine({ ...base, done: 0, of: 0 })).toContain('0/0 complete (100.0%)')
})
