import { isCarryallError } from '@carryall/errors'
import { expect, test } from 'vitest'
import { checkHop } from './hop.ts'

const allowed = (from: string, to: string) => {
  try {
    checkHop(new URL(from), new URL(to))
    return true
  } catch (error) {
    if (isCarryallError(error, 'NET_ORIGIN_REFUSED')) return false
    throw error
  }
}

test.each([
  ['https://a.example/', 'https://b.example/', true],
  ['https://a.example/', 'https://10.0.0.7/', true],
  ['http://a.example/', 'https://a.example/', true],
  ['http://127.0.0.1/', 'http://127.0.0.1:81/', true],
  ['https://a.example/', 'http://a.example/', false],
  ['https://a.example/', 'ftp://a.example/', false],
  ['https://a.example/', 'file:///etc/passwd', false],
  ['https://a.example/', 'https://user@a.example/', false],
  ['https://a.example/', 'https://a.example:@b.example/', false],
  ['https://a.example/', 'https://169.254.169.254/latest', false],
  ['https://a.example/', 'https://[fd00:ec2::254]/', false],
  ['http://127.0.0.1/', 'http://169.254.169.254/', false],
  ['https://a.example/', 'https://localhost/', false],
  ['https://a.example/', 'https://127.0.0.1/', false],
  ['https://a.example/', 'https://0.0.0.0/', false],
  ['https://a.example/', 'https://[::]/', false],
])('from %s to %s: %s', (from, to, expected) => {
  expect(allowed(from, to)).toBe(expected)
})
