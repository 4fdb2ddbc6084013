import { expect, test } from 'vitest'
import type { ListedImage } from './catalog.ts'
import { selectRepositories, selectTags } from './select.ts'
import type { Selection } from './selection.ts'

const NOW = new Date('2026-03-31T12:00:00Z')
const image = (tag: string, created?: string, repository = 'team/app'): ListedImage => ({
  registry: 'registry.example',
  repository,
  tag,
  ...(created === undefined ? {} : { created }),
})
const tags = (list: readonly string[], selection: Selection['tags']) =>
  selectTags(
    list.map((tag) => image(tag)),
    selection,
    NOW,
  ).map(({ tag }) => tag)

test('globs, in and out', () => {
  const list = ['1.0', '1.1', '1.1-debug', 'latest']
  expect(tags(list, {})).toEqual(list)
  expect(tags(list, { include: ['1.*', 'lat*'], exclude: ['*-debug'] })).toEqual(['1.0', '1.1', 'latest'])
  expect(tags(list, { include: ['{latest,1.0}'] })).toEqual(['1.0', 'latest'])
  expect(tags(list, { exclude: ['**'] })).toEqual([])
})

test('a regular expression matches whole tags', () => {
  expect(tags(['1.0', 'v1.0', '1.0-x'], { regex: '\\d+\\.\\d+' })).toEqual(['1.0'])
  expect(tags(['RC1', 'rc2', 'x'], { regex: '(?i)rc\\d' })).toEqual(['RC1', 'rc2'])
})

test('a range leaves out what is no version, and prereleases that it does not name', () => {
  const list = ['1.2.0', 'v1.9.9', '2.0.0', '2.0.0-rc.1', '1.2', 'latest']
  expect(tags(list, { semver: '>=1.2 <2' })).toEqual(['1.2.0', 'v1.9.9'])
  expect(tags(list, { semver: '>=2.0.0-rc.0' })).toEqual(['2.0.0', '2.0.0-rc.1'])
})

test('the newest are taken of what is left, by version where all are versions', () => {
  expect(tags(['1.9.0', '1.10.0', 'v1.2.0', 'latest'], { semver: '*', newest: 2 })).toEqual([
    '1.10.0',
    '1.9.0',
  ])
})

test('else by time where all have one, else by natural order', () => {
  const timed = [
    image('b', '2026-01-02T00:00:00Z'),
    image('a', '2026-01-03T00:00:00Z'),
    image('c', '2026-01-01T00:00:00Z'),
  ]
  expect(selectTags(timed, { newest: 2 }, NOW).map(({ tag }) => tag)).toEqual(['a', 'b'])
  expect(tags(['build-9', 'build-10', 'build-1'], { newest: 2 })).toEqual(['build-10', 'build-9'])
})

test('the newest are those of each repository', () => {
  const list = [image('1', undefined, 'a'), image('1', undefined, 'b'), image('2', undefined, 'a')]
  expect(selectTags(list, { newest: 1 }, NOW)).toEqual([list[2], list[1]])
})

test.each([
  ['30d', ['march']],
  ['9w', ['march', 'february']],
  ['2026-02-01', ['march', 'february']],
  ['2026-03-10T00:00:00Z', ['march']],
  ['1000w', ['march', 'february', 'january']],
])('changed since %s', (since, expected) => {
  const list = [
    image('march', '2026-03-10T00:00:00Z'),
    image('february', '2026-02-01T00:00:00Z'),
    image('january', '2026-01-20T00:00:00Z'),
  ]
  expect(selectTags(list, { changed_since: since }, NOW).map(({ tag }) => tag)).toEqual(expected)
})

test('without times there is no telling what changed', () => {
  expect(() => tags(['1'], { changed_since: '30d' })).toThrow(
    expect.objectContaining({ code: 'API_UNSUPPORTED' }),
  )
})

test.each([
  [{ regex: '(' }, '#/tags/regex'],
  [{ regex: 'a(?=b)' }, '#/tags/regex'],
  [{ semver: 'one or two' }, '#/tags/semver'],
  [{ changed_since: '30 days' }, '#/tags/changed_since'],
  [{ changed_since: '2026-13-01' }, '#/tags/changed_since'],
])('%j makes no sense', (selection, pointer) => {
  expect(() => tags([], selection)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', details: expect.objectContaining({ pointer }) }),
  )
})

test('repositories go by their names below the namespace', () => {
  const names = ['team/app', 'team/app/base', 'team/web']
  expect(selectRepositories(names, 'team', { include: ['app'] })).toEqual(['team/app'])
  expect(selectRepositories(names, 'team', { include: ['app/**'], exclude: ['app'] })).toEqual([
    'team/app/base',
  ])
  expect(selectRepositories(names, '', { include: ['*/web'] })).toEqual(['team/web'])
  expect(selectRepositories(['team/app'], 'team/app', { include: ['app'] })).toEqual(['team/app'])
  expect(selectRepositories(names, '', undefined)).toEqual(names)
})

test('signatures and the like are no newest, and no reason against versions', () => {
  const hex = '0'.repeat(64)
  const list = ['1.9.0', `sha256-${hex}.sig`, '1.10.0', `sha256-${hex}`, `sha256-${hex}.att`]
  expect(tags(list, { newest: 1 })).toEqual(['1.10.0'])
  expect(tags(list, { newest: 3 })).toEqual(['1.10.0', '1.9.0'])
})
