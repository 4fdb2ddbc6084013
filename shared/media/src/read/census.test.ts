import { expect, test } from 'vitest'
import { Census } from './census.ts'

const INVALID = expect.objectContaining({ code: 'VOLUME_INVALID' }) as Error

test('a million names, and not one more', () => {
  const census = new Census('medium')
  for (let count = 0; count < 1_000_000; count += 1) census.add(`${count}`, 1)
  expect(() => census.add('more', 1)).toThrow(INVALID)
})

test('256 MiB of names, and not one more', () => {
  const census = new Census('medium')
  const long = `${'n'.repeat(250)}/`.repeat(16).slice(0, 4000)
  for (let count = 0; count < 66_000; count += 1) census.add(`${long}/${String(count).padStart(9, '0')}`, 1)
  expect(() => {
    for (let count = 0; count < 2000; count += 1) census.add(`${long}/x${count}`, 1)
  }).toThrow(INVALID)
})

test.each([
  ['64 directories', `${'d/'.repeat(64)}a`],
  ['what is there', 'there'],
  ['more bytes than there may be', 'large'],
])('no path with %s', (_what, path) => {
  const census = new Census('medium', 100)
  census.add('there', 60)
  census.add(`${'d/'.repeat(63)}a`, 0)
  expect(() => census.add(path, path === 'large' ? 41 : 40)).toThrow(INVALID)
})

test.each(['../a', '/a', 'a/../b', '', 'a\\b', 'a\0'])('not the path %j', (path) => {
  const unsafe = expect.objectContaining({ code: 'PATH_UNSAFE' }) as Error
  expect(() => new Census('medium').add(path, 0)).toThrow(unsafe)
})
