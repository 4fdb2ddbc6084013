import { goPattern } from '@carryall/schemas'
import { expect, test } from 'vitest'
import { linearPattern } from './linear-pattern.ts'

const PATTERNS = [
  'a',
  'ab|cd',
  '(ab|cd)+',
  'v?\\d+(\\.\\d+){0,2}',
  '(?:a|b)*?c',
  'a{2}',
  'a{2,}',
  'a{1,3}b',
  '',
  '()',
  '(a|)',
  '(|b)*',
  '[^a-c]+',
  '[[:digit:]]+-rc[.]?\\d',
  '(?i)RC-[a-f]+',
  '(?i:A)b',
  '(?P<major>\\d+)\\.x',
  '\\Aab\\z',
  '^ab$',
  'a\\b-\\Bb|\\bc',
  '.*',
  '.+-.+',
  '\\w+',
  '\\D\\S',
  '\\x61b',
  '[\\]x]',
  '[-a]',
  'a\\.b',
  '\\-',
  '(a*)*',
  '(a|b|ab)*c',
  '(^a|b)c$',
  '\\p{Lu}\\pL?',
]
const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'cd',
  'abcd',
  'aa',
  'aaa',
  'aab',
  'aaab',
  'c',
  'abc',
  'aac',
  'v1.2.3',
  '1',
  '1.2',
  '1.2.3.4',
  '1-rc1',
  '12-rc.3',
  'rc-ABC',
  'RC-xyz',
  'Ab',
  'ab',
  'AB',
  '1.x',
  'a-b',
  '-',
  ']',
  'x',
  'a.b',
  'axb',
  'bc',
  'ac',
  'A',
  'Aé',
  '😀',
  '😀-😀',
  'x-y-z',
]

test.each(PATTERNS)('%j accepts what it accepts in JavaScript, and no more', (pattern) => {
  let expected: RegExp
  try {
    const { source, flags } = goPattern(pattern)
    expected = new RegExp(`^(?:${source})$`, flags)
  } catch {
    expect(() => linearPattern(pattern)).toThrow(SyntaxError)
    return
  }
  const own = linearPattern(pattern)
  expect(TEXTS.filter((text) => own(text))).toEqual(TEXTS.filter((text) => expected.test(text)))
})

test.each(['(a+)+', '(a|a)*', '(a|aa)+', '(\\w+\\.?)+', '(.*)*x?'])(
  '%s takes no longer for a long text',
  (pattern) => {
    const matches = linearPattern(`${pattern}-end`)
    const begun = performance.now()
    expect(matches(`${'a'.repeat(127)}!`)).toBe(false)
    expect(performance.now() - begun).toBeLessThan(2000)
  },
)

test.each(['(', 'a(?=b)', '(a)\\1', '((a{100}){100}){100}'])('%s is refused', (pattern) => {
  expect(() => linearPattern(pattern)).toThrow(SyntaxError)
})
