import { expect, test } from 'vitest'
import { Reserve } from './reserve.ts'

const get = { method: 'GET', url: new URL('http://r.example/v2/a/manifests/1') }
const said = (remaining: number, limit = 100, resetMs = 10_000) => ({
  remaining,
  limit,
  resetMs,
  pullsOnly: false,
})

test('requests go until few are left, then when the host counts anew', () => {
  const reserve = new Reserve()
  expect(reserve.wait(get, 0)).toBe(0)
  reserve.learn(said(7), 0, 0)
  const waits = Array.from({ length: 4 }, () => {
    const ms = reserve.wait(get, 100)
    if (ms === 0) reserve.take(get)
    return ms
  })
  expect(waits).toEqual([0, 0, 0, 9900])
  expect(reserve.wait(get, 10_000)).toBe(0)
  reserve.take(get)
  expect(reserve.wait(get, 10_000)).toBe(0)
})

test('what is under way counts as taken', () => {
  const reserve = new Reserve()
  reserve.learn(said(7), 3, 0)
  expect(reserve.wait(get, 0)).toBe(10_000)
})

test('where the end is far away one request goes a minute', () => {
  const reserve = new Reserve()
  reserve.learn(said(1, 100, 3_600_000), 0, 0)
  expect(reserve.wait(get, 0)).toBe(60_000)
  expect(reserve.wait(get, 59_000)).toBe(1000)
  expect(reserve.wait(get, 60_000)).toBe(0)
  reserve.take(get)
  expect(reserve.wait(get, 60_000)).toBe(60_000)
})

test('what Docker Hub does not count need not wait', () => {
  const reserve = new Reserve()
  reserve.learn({ ...said(0, 100, 21_600_000), pullsOnly: true }, 0, 0)
  expect(reserve.wait(get, 0)).toBe(60_000)
  expect(reserve.wait({ ...get, method: 'HEAD' }, 0)).toBe(0)
  expect(reserve.wait({ ...get, url: new URL('http://r.example/v2/a/blobs/sha256:0') }, 0)).toBe(0)
})
