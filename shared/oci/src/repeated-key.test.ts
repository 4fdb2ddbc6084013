import fc from 'fast-check'
import { expect, test } from 'vitest'
import { repeatedKey } from './repeated-key.ts'

test.each([
  ['{"a":1,"a":1}', 'a'],
  ['{"a" : 1, "b": {"c":[{"d":1,"d":2}]}}', 'd'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"":1,"":2}', ''],
  ['[{"a":1},{"a":2}]', undefined],
  ['{"a":{"a":{"a":"a"}},"b":"a"}', undefined],
  ['{"a":"\\"a\\":","b":"{[\\\\"}', undefined],
  ['{"a":["a","a"]}', undefined],
])('%s has %s twice', (json, key) => {
  expect(repeatedKey(json)).toBe(key)
})

test('what is printed from an object has no key twice', () => {
  fc.assert(fc.property(fc.json(), (json) => repeatedKey(json) === undefined))
})
