import { expect, test } from 'vitest'
import { isLoopback, parseAddress, resolveAddress } from './address.ts'

test.each([
  ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
  [':0', { host: '127.0.0.1', port: 0 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['127.9.8.7:65535', { host: '127.9.8.7', port: 65535 }],
  ['[::1]:5000', { host: '::1', port: 5000 }],
  ['0.0.0.0:5000', { host: '0.0.0.0', port: 5000 }],
  ['[::]:443', { host: '::', port: 443 }],
  ['[fe80::1%eth0]:5000', { host: 'fe80::1%eth0', port: 5000 }],
  ['registry.example:5000', { host: 'registry.example', port: 5000 }],
])('%s', (text, expected) => {
  expect(parseAddress(text)).toEqual(expected)
})

test.each([
  '',
  '5000',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '127.0.0.1:x',
  '::1:5000',
  '[127.0.0.1]:5000',
  '[::1]5000',
  'http://127.0.0.1:5000',
])('"%s" is no address', (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'USAGE_BAD_VALUE' }))
})

test.each([
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['::ffff:192.0.2.1', false],
  ['192.0.2.1', false],
  ['fe80::1%lo', false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected)
})

test('a name is judged by its address', async () => {
  expect(await resolveAddress({ host: 'localhost', port: 1 })).toMatchObject({ port: 1, loopback: true })
  expect(await resolveAddress({ host: '0.0.0.0', port: 1 })).toEqual({
    host: '0.0.0.0',
    port: 1,
    loopback: false,
  })
  await expect(resolveAddress({ host: 'no-such-host.invalid', port: 1 })).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
  })
})
