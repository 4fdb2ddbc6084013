import { expect, test } from 'vitest'
import { glob } from './glob.ts'

test.each([
  ['prod/**', 'prod/a/b', true],
  ['prod/*', 'prod/a/b', false],
  ['**/app', 'a/b/app', true],
  ['**', 'a/b', true],
  ['*', 'a/b', false],
  ['v1.?', 'v1.2', true],
  ['v1.?', 'v1x2', false],
  ['{a,b}/*', 'b/c', true],
  ['[0-9]*', '1.2', true],
  ['!a', 'b', false],
])('%s matches %s: %s', (pattern, text, expected) => {
  expect(glob(pattern)(text)).toBe(expected)
})
