import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { bufferPool } from '@carryall/durable'
import { createHttp, type HttpClient, type HttpOptions } from '../index.ts'
import { makeCertificates } from '../testing/index.ts'

const DATA = randomBytes(9_000_123)
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Site {
  readonly http: HttpClient
  readonly url: URL
}

async function site(answer: Answer, tls = false, options: HttpOptions = {}): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'raw-'))
  const certificates = tls ? await makeCertificates(directory) : undefined
  const server = certificates
    ? createTlsServer(
        { cert: await readFile(certificates.cert), key: await readFile(certificates.key) },
        answer,
      )
    : createServer(answer)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const http = createHttp({
    retry: { times: 0 },
    ...(certificates ? { tls: async () => ({ ca: [await readFile(certificates.ca, 'utf8')] }) } : {}),
    ...options,
  })
  onTestFinished(async () => {
    await http.close()
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  })
  const { port } = server.address() as AddressInfo
  return { http, url: new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/blob`) }
}

const give: Answer = (_request, response) => {
  response.setHeader('content-length', DATA.length)
  response.end(DATA)
}

async function digestOf(body: AsyncIterable<Buffer>, pause = 0): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of body) {
    if (pause > 0) await sleep(pause)
    hash.update(chunk)
  }
  return hash.digest('hex')
}

const large = (url: URL) => ({ method: 'GET' as const, url, expect: DATA.length })

async function* inChunks(size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(size)
  for (let at = 0; at < DATA.length; at += size) yield buffer.subarray(0, DATA.copy(buffer, 0, at))
}

test.each([false, true])(
  'receives every byte in its place, from a slow reader as well (TLS: %s)',
  async (tls) => {
    const { http, url } = await site(give, tls)
    expect(await digestOf((await http.request(large(url))).body)).toBe(sha256(DATA))
    expect(await digestOf((await http.request(large(url))).body, 3)).toBe(sha256(DATA))
  },
)

test('shares one buffer where the pool has no second one, and gives all of them back', async () => {
  const { http, url } = await site(give)
  const taken = []
  for (let next = bufferPool.takeFree(); next !== undefined; next = bufferPool.takeFree()) taken.push(next)
  bufferPool.give(taken.pop()!)
  expect(await digestOf((await http.request(large(url))).body, 1)).toBe(sha256(DATA))
  for (const buffer of taken) bufferPool.give(buffer)
  const again = []
  for (let next = bufferPool.takeFree(); next !== undefined; next = bufferPool.takeFree()) again.push(next)
  for (const buffer of again) bufferPool.give(buffer)
  expect(again).toHaveLength(32)
})

test.each([false, true])(
  'sends from a buffer that is used again, and hears the answer (TLS: %s)',
  async (tls) => {
    const { http, url } = await site((request, response) => {
      const hash = createHash('sha256')
      request.on('data', (data: Buffer) => hash.update(data))
      request.on('end', () => response.writeHead(201, { digest: hash.digest('hex') }).end())
    }, tls)
    const answer = await http.request({
      method: 'PUT',
      url,
      size: DATA.length,
      body: () => inChunks(300_000),
    })
    expect([answer.status, answer.header('digest')]).toEqual([201, sha256(DATA)])
  },
)

test('an answer that comes before the end of the body is heard', async () => {
  const { http, url } = await site((_request, response) => response.writeHead(403).end('{"errors":[]}'))
  const answer = await http.request({ method: 'PUT', url, size: DATA.length, body: () => inChunks(100_000) })
  expect(answer.status).toBe(403)
  expect((await answer.bytes(1000)).toString()).toBe('{"errors":[]}')
})

test('small answers, chunked ones, and a large one without a length', async () => {
  const { http, url } = await site((request, response) => {
    if (request.url === '/missing') response.writeHead(404).end('no such blob')
    else if (request.url === '/said')
      response.writeHead(400, { 'transfer-encoding': 'chunked' }).end('chunked words')
    else if (request.url === '/moved') response.writeHead(307, { location: '/blob' }).end()
    else response.end(DATA)
  })
  const ask = (path: string) => http.request(large(new URL(path, url)))
  const missing = await ask('/missing')
  expect([missing.status, (await missing.bytes(100)).toString()]).toEqual([404, 'no such blob'])
  expect((await (await ask('/said')).bytes(100)).toString()).toBe('chunked words')
  expect(await digestOf((await ask('/moved')).body)).toBe(sha256(DATA))
})

test.each([
  ['breaks off', (response: ServerResponse) => setTimeout(() => response.destroy(), 50), 'NET_UNAVAILABLE'],
  ['falls silent', () => undefined, 'NET_TIMEOUT'],
] as const)('a body that %s is a retryable error', async (_what, then, code) => {
  const { http, url } = await site(
    (_request, response) => {
      response.writeHead(200, { 'content-length': DATA.length }).write(DATA.subarray(0, 3_000_000))
      then(response)
    },
    false,
    { idleTimeoutMs: 300 },
  )
  const answer = await http.request(large(url))
  await expect(digestOf(answer.body)).rejects.toMatchObject({ code, details: { retryable: true } })
})

test('what the source of an upload throws is what comes out, and a signal ends both ways', async () => {
  const { http, url } = await site((request) => request.resume())
  const broken = new Error('the disk is gone')
  // eslint-disable-next-line require-yield
  async function* failing(): AsyncGenerator<Buffer> {
    throw broken
  }
  await expect(http.request({ method: 'PUT', url, size: DATA.length, body: failing })).rejects.toBe(broken)
  const reason = new Error('enough')
  const put = http.request({
    method: 'PUT',
    url,
    size: DATA.length,
    body: () => inChunks(100_000),
    signal: AbortSignal.any([abortIn(100, reason)]),
  })
  await expect(put).rejects.toBe(reason)
  await expect(http.request({ ...large(url), signal: abortIn(100, reason) })).rejects.toBe(reason)
})

function abortIn(milliseconds: number, reason: Error): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), milliseconds)
  return controller.signal
}
