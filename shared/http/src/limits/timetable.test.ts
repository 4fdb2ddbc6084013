import { expect, test } from 'vitest'
import { timetable } from './timetable.ts'

// 5 January 2026 is a Monday.
const at = (day: number, clock: string) => new Date(`2026-01-${String(day).padStart(2, '0')}T${clock}:30`)

test.each([
  ['before', '07:59', 1],
  ['from its first minute', '08:00', 20],
  ['to its last', '17:59', 20],
  ['and no further', '18:00', 1],
])('a row holds within its hours: %s', (_name, clock, expected) => {
  expect(timetable([{ from: '08:00', to: '18:00', bandwidth: 20 }], 1)(at(5, clock))).toBe(expected)
})

test('the first row that fits counts, and no row is the fallback', () => {
  const rows = [
    { from: '08:00', to: '09:00', bandwidth: 1 },
    { from: '08:00', to: '18:00', bandwidth: 2 },
  ]
  expect(['08:30', '09:30', '19:00'].map((clock) => timetable(rows, undefined)(at(5, clock)))).toEqual([
    1,
    2,
    undefined,
  ])
})

test.each([
  ['Friday evening', 9, '22:00', 5],
  ['the morning after it', 10, '05:59', 5],
  ['its end', 10, '06:00', undefined],
  ['Friday’s own morning', 9, '05:00', undefined],
  ['Saturday evening', 10, '23:00', undefined],
])('a row over midnight belongs to the day on which it begins: %s', (_name, day, clock, expected) => {
  const night = timetable([{ from: '22:00', to: '06:00', days: ['fri'], bandwidth: 5 }], undefined)
  expect(night(at(day, clock))).toBe(expected)
})

test('a night from Sunday ends on Monday', () => {
  const night = timetable([{ from: '20:00', to: '04:00', days: ['sun'], bandwidth: 5 }], undefined)
  expect(night(at(5, '03:00'))).toBe(5)
  expect(night(at(6, '03:00'))).toBeUndefined()
})

test('from and to alike are a whole day', () => {
  const day = timetable([{ from: '06:00', to: '06:00', days: ['mon'], bandwidth: 5 }], undefined)
  expect(day(at(5, '05:59'))).toBeUndefined()
  expect(day(at(5, '06:00'))).toBe(5)
  expect(day(at(6, '05:59'))).toBe(5)
  expect(day(at(6, '06:00'))).toBeUndefined()
})
