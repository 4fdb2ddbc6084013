import { expect, test } from 'vitest'
import { goPattern } from './go-pattern.ts'

test.each([
  ['debug', 'registry.example/team/debug:v1', true],
  ['^debug', 'registry.example/team/debug:v1', false],
  ['debug$', 'a-debug', true],
  ['(?i)DEBUG', 'a-debug', true],
  ['(?i:DEBUG)-X', 'debug-X', true],
  ['(?i:DEBUG)-X', 'debug-x', false],
  ['(?s)a.b', 'a\nb', true],
  ['a.b', 'a\nb', false],
  ['(?im)^B$', 'a\nb', true],
  ['registry\\.example\\:5000', 'registry.example:5000/x', true],
  ['registry\\.example', 'registryXexample', false],
  ['team\\/app\\-one\\_two\\@x', 'team/app-one_two@x', true],
  ['[a-z\\-]+x', 'a-x', true],
  ['[[:digit:]]{3}', 'a123', true],
  ['[[:alpha:]_]+$', '12', false],
  ['[^[:space:]]x', ' x', false],
  ['(?P<name>a)b', 'ab', true],
  ['\\Aab\\z', 'ab', true],
  ['\\Aab\\z', 'xab', false],
  ['\\d+\\.\\d+', 'v4.16', true],
  ['\\\\d', '\\d', true],
  ['\\\\1', '\\1', true],
  ['\\p{Lu}', 'Ü', true],
  ['(?m)\\Ab', 'a\nb', false],
  ['sha256:[0-9a-f]{64}', `sha256:${'a'.repeat(64)}`, true],
  ['.*', '', true],
  ['', 'anything', true],
  ['🚢', 'a 🚢', true],
])('goPattern(%j) on %j: %s', (source, text, expected) => {
  expect(goPattern(source).test(text)).toBe(expected)
})

test.each([
  '[',
  '(',
  'a)',
  '*a',
  'a{2,1}',
  '[z-a]',
  '\\',
  '(?=a)',
  '(?!a)',
  '(?<=a)b',
  '(?<!a)b',
  '(a)\\1',
  '(?<x>a)\\k<x>',
  '(?U)a+',
  '[[:nosuch:]]',
  '[[:constructor:]]',
  '\\Qa.b\\E',
])('goPattern(%j) is refused', (source) => {
  expect(() => goPattern(source)).toThrow(SyntaxError)
})
