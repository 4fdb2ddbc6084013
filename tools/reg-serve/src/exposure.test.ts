import { expect, test } from 'vitest'
import { refusedPushes, type Exposure } from './exposure.ts'

const NOTHING: Exposure = {
  loopback: false,
  tls: false,
  logins: false,
  anonymousPull: false,
  anonymousPush: false,
  allowPlainHttp: false,
}
const both = { tls: true, logins: true }

test.each<[string, Partial<Exposure>, boolean]>([
  ['loopback', { loopback: true }, true],
  ['loopback with logins', { loopback: true, logins: true }, true],
  ['plain', {}, false],
  ['TLS alone', { tls: true }, false],
  ['TLS and logins', both, true],
  ['TLS and logins, pulls without', { ...both, anonymousPull: true }, true],
  ['anonymous pushes', { anonymousPush: true }, true],
  ['anonymous pushes with TLS', { anonymousPush: true, tls: true }, true],
  ['logins behind a proxy', { logins: true, allowPlainHttp: true }, true],
])('%s', (_what, given, taken) => {
  expect(refusedPushes({ ...NOTHING, ...given }) === undefined).toBe(taken)
})

test.each<[string, Partial<Exposure>, string]>([
  ['passwords in the clear', { logins: true }, 'NET_PLAIN_HTTP_REFUSED'],
  ['passwords in the clear for pushes', { logins: true, anonymousPull: true }, 'NET_PLAIN_HTTP_REFUSED'],
  ['anonymous pushes and logins', { ...both, anonymousPush: true }, 'USAGE_CONFLICT'],
  ['anonymous pulls where nobody logs in', { anonymousPull: true }, 'USAGE_CONFLICT'],
  ['plain http where there is TLS', { ...both, allowPlainHttp: true }, 'USAGE_CONFLICT'],
  ['plain http where nobody logs in', { allowPlainHttp: true }, 'USAGE_CONFLICT'],
])('%s: refused', (_what, given, code) => {
  for (const loopback of code === 'USAGE_CONFLICT' ? [true, false] : [false])
    expect(() => refusedPushes({ ...NOTHING, ...given, loopback })).toThrow(expect.objectContaining({ code }))
})
