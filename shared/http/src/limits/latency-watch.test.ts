import { expect, test } from 'vitest'
import { LatencyWatch } from './latency-watch.ts'

const feed = (watch: LatencyWatch, kind: string, ms: number, count: number): number => {
  for (let i = 1; i <= count; i += 1) if (watch.add(kind, ms)) return i
  return 0
}

test('growth far above what was usual is told, and again only after a restart', () => {
  const watch = new LatencyWatch()
  expect(feed(watch, 'GET', 20, 50)).toBe(0)
  expect(feed(watch, 'GET', 2000, 20)).toBeGreaterThan(0)
  watch.restart()
  expect(watch.add('GET', 2000)).toBe(false)
  expect(feed(watch, 'GET', 2000, 20)).toBe(4)
})

test.each([
  ['a single slow answer', 30, 5000, 0],
  ['growth that is large only in proportion', 2, 150, 50],
  ['growth that is large only in itself', 2000, 4000, 50],
])('%s is nothing', (_name, usual, then, count) => {
  const watch = new LatencyWatch()
  for (let i = 0; i < 3; i += 1) watch.add('GET', usual)
  expect(feed(watch, 'GET', then, Math.max(1, count))).toBe(0)
})

test('kinds of requests are not compared with each other', () => {
  const watch = new LatencyWatch()
  expect(feed(watch, 'HEAD', 1, 50)).toBe(0)
  expect(feed(watch, 'PUT', 3000, 50)).toBe(0)
})

test('a first answer that took a connection to be made does not count for long', () => {
  const watch = new LatencyWatch()
  watch.add('GET', 3000)
  feed(watch, 'GET', 10, 30)
  expect(feed(watch, 'GET', 1000, 20)).toBeGreaterThan(0)
})
