import { expect, test } from 'vitest'
import { entryName, layoutRepository, readEntryName } from './entry-name.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`

test('names of entries are taken apart', () => {
  const own = 'app'
  expect(readEntryName(undefined, DIGEST, own)).toEqual({ repository: 'app' })
  expect(readEntryName('v1.0', DIGEST, own)).toEqual({ repository: 'app', tag: 'v1.0' })
  expect(readEntryName('a/b/c:v1', DIGEST, own)).toEqual({ repository: 'a/b/c', tag: 'v1' })
  expect(readEntryName(`a/b@${DIGEST}`, DIGEST, own)).toEqual({ repository: 'a/b' })
  for (const strange of [
    `a/b@sha256:${'00'.repeat(32)}`,
    'host:5000/a/b',
    'a/b',
    'A/B:v1',
    ':v1',
    'a:',
    '',
  ]) {
    expect(readEntryName(strange, DIGEST, own)).toEqual({ repository: 'app' })
  }
})

test('a written name reads as what it was', () => {
  for (const tag of ['v1', undefined]) {
    const name = entryName('group/app', tag, DIGEST)
    expect(readEntryName(name, DIGEST, 'own')).toEqual({
      repository: 'group/app',
      ...(tag === undefined ? {} : { tag }),
    })
  }
})

test('the directory names the repository, as well as it can', () => {
  expect(layoutRepository('/srv/my_layout')).toBe('my_layout')
  expect(layoutRepository('/srv/My Layout (2)')).toBe('my-layout-2')
  expect(layoutRepository('/')).toBe('layout')
})
