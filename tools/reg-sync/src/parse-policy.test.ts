import { expect, test } from 'vitest'
import { parsePolicy } from './parse-policy.ts'

test('a rule is taken apart at its last "="', () => {
  expect(parsePolicy('latest=move')).toEqual({ latest: 'move' })
  expect(parsePolicy('env-*=never')).toEqual({ 'env-*': 'never' })
  expect(parsePolicy('a=b=move')).toEqual({ 'a=b': 'move' })
})

test.each(['latest', '=move', 'latest=', 'latest=overwrite', 'latest=move ', ''])('%j is no rule', (text) => {
  expect(() => parsePolicy(text)).toThrow(expect.objectContaining({ code: 'USAGE_BAD_VALUE', exit: 64 }))
})
