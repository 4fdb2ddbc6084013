import { expect, test } from 'vitest'
import { isNewerVersion } from './api-version.ts'
import { isBelow, parseVersion } from './version.ts'

test.each([
  ['4.16.8', [4, 16, 8]],
  ['v4.16.8', [4, 16, 8]],
  ['4.16', [4, 16, 0]],
  ['4', [4, 0, 0]],
  ['1.2.3-rc.1', [1, 2, 3]],
  ['1.2.3-0.okd-2024-03-10-010116', [1, 2, 3]],
  ['1.2.3+build.5', [1, 2, 3]],
  ['1.2.3-alpha+0', [1, 2, 3]],
  ['1.2.3-01a', [1, 2, 3]],
  ['1.2.3-01', undefined],
  ['1.2.3.4', undefined],
  ['latest', undefined],
  ['', undefined],
  ['4.x', undefined],
  ['^4.16', undefined],
  ['>=4.16', undefined],
  ['4.16.', undefined],
  ['1.2.3-', undefined],
  [' 4.16', undefined],
  ['-1.0.0', undefined],
])('parseVersion(%j) is %j', (text, expected) => {
  expect(parseVersion(text)).toEqual(expected)
})

test.each([
  ['4.9.0', '4.10.0', true],
  ['4.10.0', '4.9.0', false],
  ['4.9.0', '4.9.0', false],
  ['4.9.0-rc.1', '4.9.0', false],
  ['4', '4.0.1', true],
  ['v3.99.99', '4', true],
  ['x', '4', false],
  ['4', 'x', false],
])('isBelow(%j, %j) is %s', (a, b, expected) => {
  expect(isBelow(a, b)).toBe(expected)
})

test.each([
  ['carryall/v2', ['carryall/v1'], true],
  ['carryall/v10', ['carryall/v9'], true],
  ['carryall/v2alpha1', ['carryall/v1'], true],
  ['carryall/v1', ['carryall/v1'], false],
  ['carryall/v1beta1', ['carryall/v1'], false],
  ['carryall/v0', ['carryall/v1'], false],
  ['other/v2', ['carryall/v1'], false],
  ['mirror.example/v2beta1', ['mirror.example/v2alpha1', 'mirror.example/v1alpha2'], false],
  ['mirror.example/v3', ['mirror.example/v2alpha1', 'mirror.example/v1alpha2'], true],
  ['v2', ['carryall/v1'], false],
  ['carryall/two', ['carryall/v1'], false],
  ['', ['carryall/v1'], false],
])('isNewerVersion(%j, %j) is %s', (version, known, expected) => {
  expect(isNewerVersion(version, known)).toBe(expected)
})
