import { expect, test } from 'vitest'
import { checkRealm } from './realm.ts'

const REGISTRY = 'https://registry.example.com:5000/'

test.each([
  ['https://registry.example.com:5000/token', REGISTRY],
  ['https://registry.example.com/token?x=y', REGISTRY],
  ['https://auth.example.com/token', REGISTRY],
  ['https://auth.docker.io/token', 'https://registry-1.docker.io/'],
  ['https://10.0.0.1:8443/token', 'https://10.0.0.1:5000/'],
  ['http://127.0.0.1:1/token', 'http://127.0.0.1:2/'],
  ['https://listed.example/token', REGISTRY],
  ['https://host.example:7443/token', REGISTRY],
])('%s for %s', (realm, registry) => {
  expect(checkRealm(realm, new URL(registry), ['listed.example', 'HOST.example:7443']).href).toBe(realm)
})

test.each([
  ['https://evil.example/token', 'NET_ORIGIN_REFUSED'],
  ['https://registry.example.com.evil.example/token', 'NET_ORIGIN_REFUSED'],
  ['https://registry.example.com@evil.example/token', 'NET_ORIGIN_REFUSED'],
  ['https://evilexample.com/token', 'NET_ORIGIN_REFUSED'],
  ['http://registry.example.com:5000/token', 'NET_ORIGIN_REFUSED'],
  ['https://user:word@registry.example.com:5000/token', 'NET_ORIGIN_REFUSED'],
  ['https://host.example:7444/token', 'NET_ORIGIN_REFUSED'],
  ['https://169.254.169.254/token', 'NET_ORIGIN_REFUSED'],
  ['https://[fe80::1]/token', 'NET_ORIGIN_REFUSED'],
  ['https://127.0.0.1/token', 'NET_ORIGIN_REFUSED'],
  ['https://[::]/token', 'NET_ORIGIN_REFUSED'],
  ['file:///etc/passwd', 'NET_ORIGIN_REFUSED'],
  ['/token', 'REG_PROTOCOL'],
  ['', 'REG_PROTOCOL'],
])('not %s', (realm, code) => {
  const check = () =>
    checkRealm(realm, new URL(REGISTRY), ['listed.example', 'host.example:7443', '127.0.0.1'])
  expect(check).toThrow(expect.objectContaining({ code }))
})

test('the hint names the flag that allows it', () => {
  const check = () => checkRealm('https://sso.example/token', new URL(REGISTRY), [])
  expect(check).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ hint: expect.stringContaining('--allow-realm sso.example') }),
    }),
  )
})
