import { expect, test } from 'vitest'
import { LoginLimit } from './login-limit.ts'

test('ten tries at once, then one every six seconds', () => {
  let now = 1000
  const limit = new LoginLimit(() => now)
  for (let each = 0; each < 10; each++) expect(limit.take('192.0.2.1')).toBe(0)
  expect(limit.take('192.0.2.1')).toBe(6)
  now += 5000
  expect(limit.take('192.0.2.1')).toBe(1)
  now += 1000
  expect(limit.take('192.0.2.1')).toBe(0)
  expect(limit.take('192.0.2.1')).toBe(6)
  now += 3_600_000
  for (let each = 0; each < 10; each++) expect(limit.take('192.0.2.1')).toBe(0)
  expect(limit.take('192.0.2.1')).toBe(6)
})

test('a right login costs no try', () => {
  const limit = new LoginLimit(() => 0)
  for (let each = 0; each < 100; each++) {
    expect(limit.take('192.0.2.1')).toBe(0)
    limit.giveBack('192.0.2.1')
  }
})

test.each([
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', true],
  ['2001:db8::1', '2001:db8:0:1::1', false],
  ['2001:db8::1', '2001:db8:0:0:1::1', true],
  ['fe80::1%eth0', 'fe80::2', true],
  ['::1', '1::', false],
])('%s and %s count together: %s', (one, other, together) => {
  const limit = new LoginLimit(() => 0)
  for (let each = 0; each < 10; each++) limit.take(one)
  expect(limit.take(other) > 0).toBe(together)
})

test('as many clients as there are addresses take no more memory', () => {
  const limit = new LoginLimit(() => 0)
  for (let each = 0; each < 11; each++) limit.take('192.0.2.1')
  for (let each = 0; each < 10_000; each++) limit.take(`198.51.${each >> 8}.${each & 255}`)
  expect(limit.take('192.0.2.1')).toBe(0)
})
