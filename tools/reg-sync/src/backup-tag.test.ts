import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isTag } from '@carryall/schemas'
import { backupTag } from './backup-tag.ts'
import { digestOf } from './testing/sync-samples.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
const time = new Date('2026-01-02T03:04:05.678Z')

test('tag, time and digest are put in', () => {
  expect(backupTag('{tag}-{time}', { tag: 'latest', time, digest })).toBe('latest-20260102030405')
  expect(backupTag('old-{digest}', { tag: 'latest', time, digest })).toBe('old-0123456789ab')
  expect(backupTag('{digest}_{tag}.{tag}', { tag: 'v1', time, digest })).toBe('0123456789ab_v1.v1')
})

test.each([
  'backup',
  '{tag}',
  '{time}',
  'old-{time}',
  '{tag}-{date}-{digest}',
  '-{digest}',
  '{digest}:{tag}',
  '{tag}{time}{digest}'.repeat(9),
])('the template %j is refused', (template) => {
  expect(() => backupTag(template, { tag: 'latest', time, digest })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', exit: 78 }),
  )
})

test('what it gives is a tag, and another one for each tag and digest', () => {
  const tags = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/)
  // Long ones that differ in their end only, too.
  const pairs = fc
    .tuple(tags, tags)
    .map(([a, b]) => [`${'x'.repeat(100)}${a}`.slice(0, 128), `${'x'.repeat(100)}${b}`.slice(0, 128)])
  fc.assert(
    fc.property(
      pairs,
      fc.constantFrom('{tag}-{time}', '{tag}.{digest}', 'a-{tag}-{time}-{digest}'),
      ([a, b], template) => {
        const [one, other] = [a!, b!].map((tag) => backupTag(template, { tag, time, digest }))
        expect(isTag(one!)).toBe(true)
        expect(one === other).toBe(a === b)
      },
    ),
  )
  expect(backupTag('{digest}', { tag: 'a', time, digest })).not.toBe(
    backupTag('{digest}', { tag: 'a', time, digest: digestOf('other') }),
  )
})
