import { expect, test } from 'vitest'
import { nearest } from './suggest.ts'
import { quickest } from './testing/quickest.ts'

const KEYS = ['additionalImages', 'blockedImages', 'operators', 'platform', 'helm', 'name', 'os']

test.each([
  ['additionalimages', 'additionalImages'],
  ['additionalImage', 'additionalImages'],
  ['aditionalImages', 'additionalImages'],
  ['operator', 'operators'],
  ['opreators', 'operators'],
  ['platfrom', 'platform'],
  ['Name', 'name'],
  ['nmae', 'name'],
  ['so', undefined],
  ['o', 'os'],
  ['x', undefined],
  ['', undefined],
  ['completelyDifferent', undefined],
  ['images', undefined],
])('nearest(%j) is %j', (word, expected) => {
  expect(nearest(word, KEYS)).toBe(expected)
})

test('the first of equally near candidates is taken, and no candidate is no suggestion', () => {
  expect(nearest('abcd', ['abce', 'abcf'])).toBe('abce')
  expect(nearest('abcd', [])).toBeUndefined()
})

test('a very long word is not looked up', () => {
  expect(quickest(() => nearest('x'.repeat(1_000_000), KEYS))).toBeLessThan(20)
})
