import { expect, test } from 'vitest'
import { parseAddress } from './address.ts'

test.each([
  ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
  [':0', { host: '127.0.0.1', port: 0 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['127.9.8.7:65535', { host: '127.9.8.7', port: 65535 }],
  ['[::1]:5000', { host: '::1', port: 5000 }],
])('%s', (text, expected) => {
  expect(parseAddress(text)).toEqual(expected)
})

test.each([
  '0.0.0.0:5000',
  '[::]:5000',
  '192.0.2.1:5000',
  'registry.example:5000',
  '127.0.0.1.example:5000',
  '[::ffff:127.0.0.1]:1',
])('%s is not loopback', (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'CONFIG_UNSUPPORTED' }))
})

test.each([
  '',
  '5000',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '127.0.0.1:x',
  '::1:5000',
  'http://127.0.0.1:5000',
])('"%s" is no address', (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'USAGE_BAD_VALUE' }))
})
