import { describe, expect, test } from 'vitest'
import { badValue, integer, list, oneOf, seconds, size, text, toggle } from './flag-makers.ts'

const refused = expect.objectContaining({ code: 'USAGE_BAD_VALUE' }) as Error

test('text is kept exactly', () => {
  const flag = text('TEXT', '')
  for (const given of ['1.10', '00012', '', '-', ' a ', '12345678901234567890', 'true'])
    expect(flag.parse([given])).toBe(given)
  expect(flag.absent).toBeUndefined()
  expect(text('TEXT', '', { absent: 'content' }).absent).toBe('content')
})

test('of several values the last one counts', () => {
  expect(text('TEXT', '').parse(['a', 'b'])).toBe('b')
  expect(list('TEXT', '').parse(['a', 'b'])).toEqual(['a', 'b'])
})

test('a toggle takes true and false and nothing else', () => {
  const flag = toggle('')
  expect([flag.parse(['true']), flag.parse(['1']), flag.parse(['false']), flag.parse(['0'])]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(() => flag.parse(['yes'])).toThrow(refused)
})

test('a whole number is within its bounds', () => {
  const flag = integer('N', '', { min: 1, max: 64, absent: 8 })
  expect(flag.parse(['64'])).toBe(64)
  for (const given of ['0', '65', '1.5', '1e1', '', ' 5', '0x10', '12345678901234567890'])
    expect(() => flag.parse([given])).toThrow(refused)
  expect(() => integer('N', '').parse(['-1'])).toThrow(refused)
})

describe('size', () => {
  test.each([
    ['512', 512],
    ['4.7GB', 4_700_000_000],
    ['64MiB', 67_108_864],
    ['1 kb', 1000],
    ['1.5KiB', 1536],
    ['0', 0],
  ])('%s is %d bytes', (given, bytes) => {
    expect(size('SIZE', '').parse([given])).toBe(bytes)
  })
  test.each(['5G', '1.5', '-1', 'GB', '1e3', '9007199254740993', '1PB', ''])('%s is refused', (given) => {
    expect(() => size('SIZE', '').parse([given])).toThrow(refused)
  })
})

test('seconds are read with and without a unit', () => {
  const flag = seconds('SECONDS', '', { max: 86_400 })
  expect(['90', '1.5', '250ms', '90s', '5m', '2h', '1d'].map((given) => flag.parse([given]))).toEqual([
    90, 1.5, 0.25, 90, 300, 7200, 86_400,
  ])
  for (const given of ['2d', '5 m', '1h30m', 'soon', '']) expect(() => flag.parse([given])).toThrow(refused)
})

test('one of a few words', () => {
  const flag = oneOf(['fast', 'full'], '', { absent: 'full' })
  expect(flag.parse(['fast'])).toBe('fast')
  expect(() => flag.parse(['Fast'])).toThrow(refused)
  expect(flag.shownDefault).toBe('full')
})

test('badValue names what is wanted as data', () => {
  expect(badValue('x', 'a digest').details).toMatchObject({ expected: 'a digest', actual: 'x' })
})
