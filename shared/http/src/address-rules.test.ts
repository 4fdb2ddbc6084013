import { expect, test } from 'vitest'
import { isLinkLocal, isLoopback, isUnspecified } from './address-rules.ts'

const hostname = (host: string) => new URL(`http://${host}/`).hostname

test.each([
  'localhost',
  'a.localhost',
  'LOCALHOST.',
  '127.0.0.1',
  '127.9.9.9',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '2130706433',
  '0x7f.1',
  '017700000001',
])('%s is loopback', (host) => expect(isLoopback(hostname(host))).toBe(true))

test.each([
  'localhost.example',
  '128.0.0.1',
  '0.0.0.0',
  '[::]',
  '127.0.0.1.example',
  'notlocalhost',
  '[::2]',
])('%s is not loopback', (host) => expect(isLoopback(hostname(host))).toBe(false))

test.each([
  '169.254.169.254',
  '[::ffff:169.254.169.254]',
  '2852039166',
  '0xa9fea9fe',
  '[fe80::1]',
  '[febf::1]',
  '[fd00:ec2::254]',
])('%s is link-local', (host) => expect(isLinkLocal(hostname(host))).toBe(true))

test.each(['169.253.1.1', '10.0.0.1', '[fd00::1]', '[fec0::1]', 'registry.example'])(
  '%s is not link-local',
  (host) => expect(isLinkLocal(hostname(host))).toBe(false),
)

test.each(['0.0.0.0', '0', '[::]', '[::ffff:0.0.0.0]'])('%s is unspecified', (host) =>
  expect(isUnspecified(hostname(host))).toBe(true),
)
