import { setTimeout as wait } from 'node:timers/promises'
import { type ErrorCode, isCarryallError } from '@carryall/errors'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp, type HttpOptions } from './create-http.ts'
import type { Retry } from './retry.ts'
import { startServer } from './testing/index.ts'

const code = (...codes: ErrorCode[]) =>
  expect.toSatisfy((error: unknown) => isCarryallError(error, ...codes), codes.join())

/** A client whose waits are noted and not waited for. */
function client(options: HttpOptions = {}) {
  const slept: number[] = []
  const retries: Retry[] = []
  const sleep = async (ms: number) => void slept.push(ms)
  const http = createHttp({
    ...options,
    retry: { random: () => 0.5, sleep, onRetry: (retry) => retries.push(retry), ...options.retry },
  })
  onTestFinished(() => http.close())
  const get = (url: string | URL) => http.request({ method: 'GET', url: new URL(url) })
  return { http, slept, retries, get }
}

async function* bytes(...sizes: number[]) {
  for (const size of sizes) yield Buffer.alloc(size, 'x')
}

test('no headers, no more body, no one to take the upload: NET_TIMEOUT', { timeout: 20_000 }, async () => {
  await using silent = await startServer(() => wait(60_000, undefined, { ref: false }), { unread: true })
  await using stuck = await startServer((_, response) => void response.write('half'))
  const { http, get } = client({ idleTimeoutMs: 600, retry: { times: 0 } })
  const upload = {
    method: 'PUT',
    url: new URL(silent.url),
    body: () => bytes(...Array(64).fill(1 << 20)),
    size: 64 << 20,
  } as const
  await Promise.all([
    expect(get(silent.url)).rejects.toEqual(code('NET_TIMEOUT')),
    expect(get(stuck.url).then((answer) => answer.bytes(100))).rejects.toEqual(code('NET_TIMEOUT')),
    expect(http.request(upload)).rejects.toEqual(code('NET_TIMEOUT')),
  ])
})

test('an upload waits longer than that for its answer', { timeout: 20_000 }, async () => {
  await using server = await startServer(async (_, response) => {
    await wait(2500)
    response.writeHead(201).end()
  })
  const { http } = client({ idleTimeoutMs: 600, retry: { times: 0 } })
  const answer = await http.request({
    method: 'PUT',
    url: new URL(server.url),
    body: () => bytes(10),
    size: 10,
  })
  expect(answer.status).toBe(201)
})

test('an abort gives its reason: before, while waiting, and in the body', async () => {
  await using server = await startServer((seen, response) => {
    if (seen.url === '/body') response.write('half')
  })
  const { http } = client()
  const reason = new Error('stop')
  const get = (path: string, signal: AbortSignal) =>
    http.request({ method: 'GET', url: new URL(path, server.url), signal })
  await expect(get('/', AbortSignal.abort(reason))).rejects.toBe(reason)
  const waiting = new AbortController()
  const pending = get('/', waiting.signal)
  await expect.poll(() => server.requests.length).toBe(1)
  waiting.abort(reason)
  await expect(pending).rejects.toBe(reason)
  const reading = new AbortController()
  const answer = await get('/body', reading.signal)
  const all = answer.bytes(100)
  reading.abort(reason)
  await expect(all).rejects.toBe(reason)
})

test('uploads cannot starve the downloads that feed them', async () => {
  await using server = await startServer(
    (seen, response) => void response.end(seen.method === 'GET' ? 'part' : 'done'),
  )
  const { http } = client({ connections: 2 })
  const url = new URL(server.url)
  async function* fed() {
    const part = await http.request({ method: 'GET', url })
    yield* part.body
  }
  const all = Array.from({ length: 6 }, async () => {
    const answer = await http.request({ method: 'PUT', url, body: fed, size: 4 })
    await answer.dump()
    return answer.status
  })
  expect(await Promise.all(all)).toEqual([200, 200, 200, 200, 200, 200])
})

test('at most so many connections to an origin', async () => {
  let open = 0
  let most = 0
  await using server = await startServer(async (_, response) => {
    most = Math.max(most, (open += 1))
    await wait(5)
    open -= 1
    response.end()
  })
  const { get } = client({ connections: 3 })
  await Promise.all(Array.from({ length: 12 }, async () => (await get(server.url)).dump()))
  expect(most).toBe(3)
})
