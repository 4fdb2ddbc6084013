import { type AddressInfo, createServer } from 'node:net'
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

test('an answer with its headers and body, whatever its status', async () => {
  await using server = await startServer((_, response) => {
    response.writeHead(
      404,
      [
        ['X-One', '1'],
        ['Link', '<a>'],
        ['Link', '<b>'],
      ].flat(),
    )
    response.end('gone')
  })
  const { get } = client({ userAgent: 'tool/1' })
  const answer = await get(`${server.url}/a?b=c`)
  expect(answer.status).toBe(404)
  expect(answer.header('x-one')).toBe('1')
  expect(answer.header('x-two')).toBeUndefined()
  expect(answer.headers('LINK')).toEqual(['<a>', '<b>'])
  expect((await answer.bytes(4)).toString()).toBe('gone')
  expect(server.requests).toMatchObject([
    { method: 'GET', url: '/a?b=c', headers: { 'user-agent': 'tool/1' } },
  ])
})

test('a body over the limit is refused', async () => {
  await using server = await startServer((_, response) => void response.end('12345'))
  const answer = await client().get(server.url)
  await expect(answer.bytes(4)).rejects.toEqual(code('REG_PROTOCOL'))
})

test.each([
  [408, 'NET_UNAVAILABLE', 69],
  [429, 'NET_RATE_LIMITED', 75],
  [500, 'NET_UNAVAILABLE', 69],
  [502, 'NET_UNAVAILABLE', 69],
  [503, 'NET_UNAVAILABLE', 69],
  [504, 'NET_UNAVAILABLE', 69],
] as const)('%i is repeated and ends as %s', async (status, expected, exit) => {
  await using server = await startServer((_, response) => {
    response.writeHead(status, { 'retry-after': '2' }).end('{"errors":[]}')
  })
  const { get, slept, retries } = client({ retry: { times: 2 } })
  await expect(get(server.url)).rejects.toMatchObject({
    code: expected,
    exit,
    details: { retryable: true, actual: status },
  })
  expect(server.requests).toHaveLength(3)
  expect(slept).toEqual([2000, 2000])
  expect(retries.map(({ error }) => error.code)).toEqual([expected, expected])
})

test.each([400, 401, 403, 404, 405, 409, 412, 416, 501])('%i is an answer', async (status) => {
  await using server = await startServer((_, response) => void response.writeHead(status).end())
  const answer = await client().get(server.url)
  expect(answer.status).toBe(status)
  await answer.dump()
  expect(server.requests).toHaveLength(1)
})

test('a repeated request sends its body again; what is not idempotent is sent once', async () => {
  await using server = await startServer((_, response) => {
    response.writeHead(server.requests.length % 2 === 1 ? 503 : 201).end()
  })
  const { http } = client()
  const put = (idempotent: boolean) =>
    http.request({ method: 'PUT', url: new URL(server.url), body: () => bytes(3, 4), size: 7, idempotent })
  expect((await put(true)).status).toBe(201)
  expect(server.requests.map(({ body }) => body.length)).toEqual([7, 7])
  expect(server.requests[0]!.headers['content-length']).toBe('7')
  await expect(put(false)).rejects.toEqual(code('NET_UNAVAILABLE'))
  expect(server.requests).toHaveLength(3)
})

test('a body whose source fails gives the source’s own error, once', async () => {
  await using server = await startServer((_, response) => void response.end())
  const failure = new Error('source')
  async function* broken() {
    yield Buffer.alloc(10)
    throw failure
  }
  const request = {
    method: 'PUT',
    url: new URL(server.url),
    body: broken,
    size: 20,
    idempotent: true,
  } as const
  await expect(client().http.request(request)).rejects.toBe(failure)
})

test('a body shorter or longer than announced is refused', async () => {
  await using server = await startServer((_, response) => void response.end())
  const put = (size: number) =>
    client().http.request({ method: 'PUT', url: new URL(server.url), body: () => bytes(10), size })
  await expect(put(11)).rejects.toEqual(code('SIZE_MISMATCH'))
  await expect(put(9)).rejects.toEqual(code('SIZE_MISMATCH'))
})

test('nobody listens: NET_UNAVAILABLE with host and port, repeated', async () => {
  const server = await startServer(() => {})
  await server[Symbol.asyncDispose]()
  const { get, retries } = client({ retry: { times: 1 } })
  await expect(get(server.url)).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
    details: { subject: { kind: 'host', name: server.host }, actual: 'ECONNREFUSED' },
  })
  expect(retries).toHaveLength(1)
})

test('a name that does not exist: NET_UNAVAILABLE with name and port', async () => {
  const { get } = client({ retry: { times: 1 } })
  await expect(get('https://none.invalid/')).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
    details: { subject: { kind: 'host', name: 'none.invalid:443' } },
  })
})

test('a server that breaks off before the answer is asked again', async () => {
  await using server = await startServer((_, response) => {
    if (server.requests.length === 1) response.destroy()
    else response.end('ok')
  })
  const { get, retries } = client()
  expect((await (await get(server.url)).bytes(10)).toString()).toBe('ok')
  expect(retries).toMatchObject([{ error: { code: 'NET_UNAVAILABLE' } }])
})

test.each(['length', 'chunked'])(
  'a body that ends early (%s) is a retryable NET_UNAVAILABLE',
  async (kind) => {
    await using server = await startServer((_, response) => {
      if (kind === 'length') response.setHeader('content-length', 100)
      response.write('half', () => response.destroy())
    })
    const answer = await client().get(server.url)
    await expect(answer.bytes(1000)).rejects.toMatchObject({
      code: 'NET_UNAVAILABLE',
      details: { retryable: true },
    })
  },
)

test('what is no HTTP is REG_PROTOCOL and not asked again', async () => {
  const server = createServer((socket) => socket.end('SSH-2.0-x\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { get, retries } = client()
  await expect(get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).rejects.toEqual(
    code('REG_PROTOCOL'),
  )
  expect(retries).toEqual([])
  server.close()
})
