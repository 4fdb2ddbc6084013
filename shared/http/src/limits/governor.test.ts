import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp, type HttpOptions, type LimitEvent } from '../index.ts'
import { type Seen, startServer } from '../testing/index.ts'
import { type VirtualClock, virtualClock } from '../testing/virtual-clock.ts'

type Answer = (seen: Seen, response: ServerResponse, count: number) => void | Promise<void>

/** A server that answers as told, and a client that has to spare it. */
async function spared(answer: Answer, options: HttpOptions = {}, clock?: VirtualClock) {
  let [count, busy] = [0, 0]
  const most = { busy: 0 }
  const server = await startServer(async (seen, response) => {
    most.busy = Math.max(most.busy, (busy += 1))
    try {
      await answer(seen, response, (count += 1))
    } finally {
      busy -= 1
    }
  })
  const events: LimitEvent[] = []
  const http = createHttp({
    retry: { times: 3, random: () => 0 },
    onLimit: (event) => events.push(event),
    ...(clock ? { clock } : {}),
    ...options,
  })
  onTestFinished(async () => {
    await http.close()
    await server[Symbol.asyncDispose]()
  })
  const get = async (path = '/', signal?: AbortSignal) => {
    const answered = await http.request({
      method: 'GET',
      url: new URL(path, server.url),
      ...(signal ? { signal } : {}),
    })
    await answered.dump()
    return answered.status
  }
  return { server, http, get, events, most }
}

const many = (count: number, call: () => Promise<number>) =>
  Promise.all(Array.from({ length: count }, () => call()))
const ok = (_seen: Seen, response: ServerResponse): void => void response.end('ok')

test('Retry-After holds all requests to the host back, whoever was refused', async () => {
  const times: number[] = []
  const { get, events, server } = await spared((_seen, response, count) => {
    times.push(performance.now())
    if (count === 1) response.writeHead(429, { 'retry-after': '1' }).end()
    else response.end('ok')
  })
  const refused = get('/first')
  await expect.poll(() => events.length).toBe(1)
  expect([await get('/second'), await refused]).toEqual([200, 200])
  expect(times[1]! - times[0]!).toBeGreaterThan(990)
  expect(times[2]! - times[0]!).toBeGreaterThan(990)
  expect(events).toEqual([{ kind: 'paused', host: server.host, waitMs: 1000, status: 429 }])
})

test('a host is not held back for another', async () => {
  const { get, events } = await spared(
    (_seen, response) => void response.writeHead(503, { 'retry-after': '5' }).end(),
  )
  await using other = await startServer(ok)
  const stop = new AbortController()
  const refused = get('/', stop.signal)
  await expect.poll(() => events.length).toBe(1)
  expect(await get(other.url)).toBe(200)
  stop.abort(new Error('stop'))
  await expect(refused).rejects.toThrow('stop')
})

test('who is held back can be called off', async () => {
  const { get, events } = await spared(
    (_seen, response) => void response.writeHead(429, { 'retry-after': '300' }).end(),
  )
  const stop = new AbortController()
  const both = [get('/', stop.signal)]
  await expect.poll(() => events.length).toBe(1)
  both.push(get('/', stop.signal))
  stop.abort(new Error('stop'))
  for (const each of both) await expect(each).rejects.toThrow('stop')
})

test.each([
  ['a date', () => new Date(Date.now() + 2000).toUTCString()],
  ['seconds', () => '1'],
])('Retry-After as %s with 503 is kept to', async (_form, make) => {
  const { get, events } = await spared(
    (_seen, response, count) => {
      if (count === 1) response.writeHead(503, { 'retry-after': make() }).end()
      else ok(_seen, response)
    },
    { retry: { sleep: async () => {} } },
  )
  expect(await get()).toBe(200)
  expect(events).toMatchObject([{ kind: 'paused', status: 503 }])
  const { waitMs } = events[0] as Extract<LimitEvent, { kind: 'paused' }>
  expect(waitMs).toBeGreaterThan(500)
  expect(waitMs).toBeLessThanOrEqual(2000)
})

test.each(['-1', 'soon', 'Wed, 21 Oct 2015 07:28:00 GMT'])(
  'Retry-After of "%s" holds nobody back',
  async (value) => {
    const { get, events } = await spared((_seen, response, count) => {
      if (count === 1) response.writeHead(429, { 'retry-after': value }).end()
      else ok(_seen, response)
    })
    expect(await get()).toBe(200)
    expect(events).toEqual([])
  },
)

test('so many at once and no more; all get their turn', async () => {
  const { get, most, server } = await spared(
    async (seen, response) => {
      await sleep(3)
      ok(seen, response)
    },
    { limits: () => ({ concurrency: 3 }) },
  )
  await many(30, get)
  expect(most.busy).toBe(3)
  expect(server.requests).toHaveLength(30)
})

test('429 halves what goes at once, and successes bring it back', async () => {
  const { get, most, events } = await spared(
    async (seen, response, count) => {
      await sleep(2)
      if (count <= 8) response.writeHead(429).end()
      else ok(seen, response)
    },
    { limits: () => ({ concurrency: 8 }), retry: { times: 5, delayMs: 1 } },
  )
  await many(8, get)
  expect(events).toMatchObject([{ kind: 'slowed', concurrency: 4, reason: 'refused' }])
  most.busy = 0
  await many(4, get)
  await many(100, get)
  expect(most.busy).toBe(8)
})

test('answers that take far longer than usual halve it, too', async () => {
  let ms = 1
  const { get, events } = await spared(
    async (seen, response) => {
      await sleep(ms)
      ok(seen, response)
    },
    { limits: () => ({ concurrency: 4 }) },
  )
  await many(40, get)
  ms = 350
  await many(16, get)
  expect(events[0]).toMatchObject({ kind: 'slowed', concurrency: 2, reason: 'latency' })
})

test('requests a second are spread evenly', async () => {
  const times: number[] = []
  const clock = virtualClock()
  const { get } = await spared(
    (seen, response) => {
      times.push(clock.monotonic())
      ok(seen, response)
    },
    { limits: () => ({ requestsPerSecond: 4 }) },
    clock,
  )
  for (let i = 0; i < 9; i += 1) await get()
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  expect(gaps.slice(1)).toEqual(Array.from({ length: 7 }, () => 250))
})

test('requests wait before the host has to refuse them, and say so once', async () => {
  let left = 8
  const clock = virtualClock()
  let resetAt = clock.monotonic() + 20_000
  const { get, events, server } = await spared(
    (_seen, response) => {
      const now = clock.monotonic()
      if (now >= resetAt) [left, resetAt] = [8, now + 20_000]
      if (left === 0) return void response.writeHead(429).end()
      left -= 1
      const reset = Math.ceil((resetAt - now) / 1000)
      response.writeHead(200, { ratelimit: `limit=8, remaining=${left}, reset=${reset}` }).end()
    },
    { limits: () => ({}) },
    clock,
  )
  for (let i = 0; i < 20; i += 1) expect(await get()).toBe(200)
  expect(server.requests).toHaveLength(20)
  expect(events).toMatchObject([
    { kind: 'spared', remaining: 0, waitMs: 20_000 },
    { kind: 'spared', remaining: 0 },
  ])
})

test('Docker Hub: few pulls left slow down pulls only', async () => {
  const clock = virtualClock()
  const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '2;w=21600' }
  const { get, http, server, events } = await spared(
    (_seen, response) => void response.writeHead(200, headers).end(),
    { limits: () => ({}) },
    clock,
  )
  await get('/v2/a/manifests/1')
  for (const url of ['/v2/a/manifests/2', '/v2/a/blobs/x'])
    await (await http.request({ method: 'HEAD', url: new URL(url, server.url) })).dump()
  expect(clock.slept).toEqual([])
  await get('/v2/a/manifests/2')
  expect(clock.slept).toEqual([60_000])
  expect(events).toMatchObject([{ kind: 'spared', waitMs: 60_000, remaining: 2 }])
})

test('without limits RateLimit headers are nobody’s business', async () => {
  const clock = virtualClock()
  const { get } = await spared(
    (_seen, response) => void response.writeHead(200, { ratelimit: 'limit=9, remaining=0, reset=9' }).end(),
    {},
    clock,
  )
  await get()
  await get()
  expect(clock.slept).toEqual([])
})

test('limits are asked for by host and port, once', async () => {
  const asked: string[] = []
  const { get, server } = await spared(ok, { limits: (host) => void asked.push(host) })
  await many(5, get)
  expect([...new Set(asked)]).toEqual([server.host])
})

test('clients that are given the same limits keep them together', async () => {
  const limits = () => ({ concurrency: 2 })
  const slow = async (seen: Seen, response: ServerResponse) => {
    await sleep(3)
    ok(seen, response)
  }
  const { get, server, most } = await spared(slow, { limits })
  const other = createHttp({ limits })
  const getToo = async () => {
    const answer = await other.request({ method: 'GET', url: new URL(server.url) })
    await answer.dump()
    return answer.status
  }
  await Promise.all([many(10, get), many(10, getToo)])
  await other.close()
  expect(most.busy).toBe(2)
})
