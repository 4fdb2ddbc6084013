import { expect, test } from 'vitest'
import { isSameSite } from './same-site.ts'

test.each([
  ['registry-1.docker.io', 'auth.docker.io', true],
  ['registry.example.com', 'example.com', true],
  ['Registry.Example.com.', 'auth.example.COM', true],
  ['registry', 'registry', true],
  ['10.0.0.1', '10.0.0.1', true],
  ['registry.shop.co.uk', 'auth.shop.co.uk', true],
  ['registry', 'auth', false],
  ['a.example', 'b.example', false],
  ['shop.co.uk', 'other.co.uk', false],
  ['a.github.io', 'b.github.io', false],
  ['one.azurecr.io', 'two.azurecr.io', false],
  ['10.0.0.1', '11.0.0.1', false],
  ['[fd00::1]', '[fd00::2]', false],
  ['docker.io.evil.example', 'docker.io', false],
  ['evildocker.io', 'docker.io', false],
])('%s and %s: %s', (a, b, expected) => {
  expect(isSameSite(a, b)).toBe(expected)
  expect(isSameSite(b, a)).toBe(expected)
})
