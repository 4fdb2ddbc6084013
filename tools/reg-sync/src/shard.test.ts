import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inShard, parseShard, shardOf } from './shard.ts'

const repository = fc.stringMatching(/^[a-z0-9]{1,12}(\/[a-z0-9]{1,12}){0,3}$/)
const refused = expect.objectContaining({ code: 'USAGE_BAD_VALUE', exit: 64 })

test('each repository is in one part of any number of parts', () => {
  fc.assert(
    fc.property(repository, fc.integer({ min: 1, max: 50 }), (name, count) => {
      const parts = Array.from({ length: count }, (_, at) => inShard(name, { index: at + 1, count }))
      expect(parts.filter(Boolean)).toHaveLength(1)
    }),
  )
})

test('the part of a repository is the same for ever', () => {
  const partOf = (name: string): number => [1, 2, 3, 4].find((index) => inShard(name, { index, count: 4 }))!
  expect(['team/app', 'team/db', 'team/web', 'a/b/c'].map(partOf)).toEqual([1, 4, 3, 1])
})

test('parts are about equal', () => {
  const names = Array.from({ length: 4000 }, (_, at) => `team/app-${at}`)
  for (const index of [1, 2, 3, 4]) {
    const part = names.filter((name) => inShard(name, { index, count: 4 }))
    expect(Math.abs(part.length - 1000)).toBeLessThan(150)
  }
})

test('parseShard() takes I/N', () => {
  expect(parseShard('2/4')).toEqual({ index: 2, count: 4 })
  expect(parseShard('1/1')).toEqual({ index: 1, count: 1 })
})

test.each(['', '2', '0/4', '5/4', '/4', '2/', '-1/4', '1/4/4', '1.5/4', ' 1/4', '1/0', '1/1000000000'])(
  'parseShard() refuses %j',
  (text) => expect(() => parseShard(text)).toThrow(refused),
)

test('shardOf() counts a completion index from 0', () => {
  expect(shardOf(undefined, { JOB_COMPLETION_INDEX: '1' })).toBeUndefined()
  expect(shardOf('2/4', { JOB_COMPLETION_INDEX: '0' })).toEqual({ index: 2, count: 4 })
  expect(shardOf('/4', { JOB_COMPLETION_INDEX: '0' })).toEqual({ index: 1, count: 4 })
  expect(shardOf('/4', { JOB_COMPLETION_INDEX: '3' })).toEqual({ index: 4, count: 4 })
})

test.each([undefined, '', '4', '-1', 'x'])('shardOf() refuses the completion index %j of four', (index) => {
  expect(() => shardOf('/4', { JOB_COMPLETION_INDEX: index })).toThrow(refused)
})
