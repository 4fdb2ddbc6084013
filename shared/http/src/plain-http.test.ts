import { isCarryallError } from '@carryall/errors'
import { expect, test } from 'vitest'
import { checkPlainHttp } from './plain-http.ts'

const NONE = { allowed: [], unverified: false, secret: false }

test.each([
  ['https://a.example/', { ...NONE, secret: true }, true],
  ['http://127.0.0.1:5000/', { ...NONE, secret: true }, true],
  ['http://[::1]/', { ...NONE, secret: true }, true],
  ['http://a.example/', NONE, false],
  ['http://0.0.0.0/', NONE, false],
  ['http://a.example/', { ...NONE, unverified: true }, true],
  ['http://a.example/', { ...NONE, unverified: true, secret: true }, false],
  ['http://a.example:5000/', { ...NONE, allowed: ['a.example'], secret: true }, true],
  ['http://a.example:5000/', { ...NONE, allowed: ['A.example:5000'], secret: true }, true],
  ['http://a.example:5001/', { ...NONE, allowed: ['a.example:5000'] }, false],
  ['http://a.example/', { ...NONE, allowed: ['a.example:80'] }, true],
  ['http://b.a.example/', { ...NONE, allowed: ['a.example'] }, false],
] as const)('%s under %o: %s', (url, rule, expected) => {
  const check = () => checkPlainHttp(new URL(url), rule)
  if (expected) return expect(check).not.toThrow()
  expect(check).toThrow(
    expect.toSatisfy((error: unknown) => isCarryallError(error, 'NET_PLAIN_HTTP_REFUSED')),
  )
})
