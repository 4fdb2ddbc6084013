import { expect, test } from 'vitest'
import { virtualClock } from '../testing/virtual-clock.ts'
import { pace } from './pace.ts'
import { timetable } from './timetable.ts'

const MB = 1_000_000

test.each([10_000, MB, 50 * MB, 2000 * MB])(
  '%i bytes a second are kept to within 10 percent',
  async (rate) => {
    const clock = virtualClock()
    const flow = pace(() => rate, clock)
    const start = clock.monotonic()
    let sent = 0
    while (clock.monotonic() - start < 5000) {
      const piece = flow.piece()
      await flow.until(flow.book(piece))
      sent += piece
    }
    expect(sent / 5).toBeGreaterThan(rate * 0.9)
    expect(sent / 5).toBeLessThan(rate * 1.1)
  },
)

test('a piece is a twentieth of a second, and neither tiny nor more than a chunk', () => {
  const piece = (rate: number | undefined) => pace(() => rate, virtualClock()).piece()
  expect([MB, 1, 1000 * MB, undefined].map(piece)).toEqual([50_000, 4096, 1_048_576, 1_048_576])
})

test('without a limit nothing waits', async () => {
  const clock = virtualClock()
  const flow = pace(() => undefined, clock)
  for (let i = 0; i < 1000; i += 1) expect(flow.book(MB)).toBe(0)
  expect(clock.slept).toEqual([])
})

test('no busy loop: a wait is worth a timer', async () => {
  const clock = virtualClock()
  const flow = pace(() => 500 * MB, clock)
  for (let i = 0; i < 500; i += 1) await flow.until(flow.book(MB))
  expect(clock.slept.length).toBeLessThan(500)
  expect(Math.min(...clock.slept)).toBeGreaterThanOrEqual(4)
})

test('the hour changes the rate while bytes flow', async () => {
  const clock = virtualClock(new Date(2026, 0, 5, 7, 59, 58))
  const flow = pace(timetable([{ from: '08:00', to: '18:00', bandwidth: MB }], 10 * MB), clock)
  const start = clock.monotonic()
  let [before, after] = [0, 0]
  while (clock.monotonic() - start < 4000) {
    const piece = flow.piece()
    await flow.until(flow.book(piece))
    if (clock.monotonic() - start < 2000) before += piece
    else after += piece
  }
  expect(before / (20 * MB)).toBeCloseTo(1, 1)
  expect(after / (2 * MB)).toBeCloseTo(1, 0)
})

test('who waits can be called off', async () => {
  const flow = pace(() => 1000, virtualClock())
  await expect(flow.until(flow.book(10_000), AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
})
