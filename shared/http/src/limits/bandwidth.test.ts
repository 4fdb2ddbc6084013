import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp, type HttpOptions } from '../index.ts'
import { makeCertificates, startServer } from '../testing/index.ts'
import { type VirtualClock, virtualClock } from '../testing/virtual-clock.ts'

const MB = 1_000_000
const LARGE = randomBytes(6 * MB)
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** Gives as many bytes as the path says, and takes what it is sent. */
async function site(rate: number | undefined, options: HttpOptions = {}, tls = false) {
  const directory = await mkdtemp(join(tmpdir(), 'bandwidth-'))
  const certificates = tls ? await makeCertificates(directory) : undefined
  const pems = certificates && {
    cert: await readFile(certificates.cert, 'utf8'),
    key: await readFile(certificates.key, 'utf8'),
  }
  const taken: string[] = []
  const server = await startServer(
    async ({ method, url }, response, request) => {
      if (method === 'PUT') taken.push(sha256(await buffer(request)))
      const body = method === 'PUT' ? Buffer.alloc(0) : LARGE.subarray(0, Number(url.slice(1)))
      response.writeHead(200, { 'content-length': body.length }).end(body)
    },
    { unread: true, ...(pems ? { tls: pems } : {}) },
  )
  const http = createHttp({
    retry: { times: 0 },
    limits: () => (rate === undefined ? undefined : { bandwidth: () => rate }),
    tls: () => ({ verify: false }),
    ...options,
  })
  onTestFinished(async () => {
    await http.close()
    await server[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  const get = async (size: number): Promise<string> => {
    const answer = await http.request({ method: 'GET', url: new URL(`/${size}`, server.url), expect: size })
    const hash = createHash('sha256')
    for await (const chunk of answer.body) hash.update(chunk)
    return hash.digest('hex')
  }
  const put = async (size: number): Promise<void> => {
    const url = new URL('/', server.url)
    const open = async function* () {
      for (let at = 0; at < size; at += 1_048_576) yield LARGE.subarray(at, Math.min(size, at + 1_048_576))
    }
    await (await http.request({ method: 'PUT', url, body: open, size })).dump()
  }
  return { get, put, taken, http, server }
}

async function seconds(
  clock: Pick<VirtualClock, 'monotonic'>,
  work: () => Promise<unknown>,
): Promise<number> {
  const start = clock.monotonic()
  await work()
  return (clock.monotonic() - start) / 1000
}

test.each([
  ['down, by a connection of its own', 6 * MB, 0, false],
  ['down, by a connection of its own (TLS)', 6 * MB, 0, true],
  ['down, by the pool', 2 * MB, 0, false],
  ['up, by a connection of its own', 0, 6 * MB, false],
  ['up, by the pool', 0, 2 * MB, false],
])('%s: the bytes take their time, and all come', async (_name, down, up, tls) => {
  const clock = virtualClock()
  const { get, put, taken } = await site(MB, { clock }, tls)
  const taking = await seconds(clock, async () => {
    if (down > 0) expect(await get(down)).toBe(sha256(LARGE.subarray(0, down)))
    if (up > 0) await put(up)
  })
  expect(taken).toEqual(up > 0 ? [sha256(LARGE.subarray(0, up))] : [])
  expect(taking).toBeGreaterThan(((down + up) / MB) * 0.9)
  expect(taking).toBeLessThan(((down + up) / MB) * 1.1)
})

test('all connections of a host share one bandwidth, up and down', async () => {
  const { get, put } = await site(8 * MB)
  const taking = await seconds(performanceClock, () =>
    Promise.all([get(6 * MB), get(6 * MB), get(MB), get(MB), put(5 * MB), put(5 * MB)]),
  )
  expect(taking).toBeGreaterThan(3 * 0.9)
  expect(taking).toBeLessThan(3 * 1.5)
})

const performanceClock = { monotonic: () => performance.now() }

test('they get equal shares, and what is small is not kept waiting', async () => {
  const { get, http, server } = await site(4 * MB)
  const done: number[] = []
  const start = performance.now()
  const large = [4.5 * MB, 4.5 * MB].map(async (size) => {
    await get(size)
    done.push(performance.now() - start)
  })
  const waits: number[] = []
  while (done.length < 2) {
    const asked = performance.now()
    await (await http.request({ method: 'HEAD', url: new URL('/10', server.url) })).dump()
    await get(100)
    waits.push(performance.now() - asked)
  }
  await Promise.all(large)
  expect(Math.max(...waits)).toBeLessThan(1200)
  expect(done[0]! / done[1]!).toBeGreaterThan(0.8)
})

test('a body in memory counts, too', async () => {
  const clock = virtualClock()
  const { http, server } = await site(MB, { clock })
  const taking = await seconds(clock, async () => {
    for (let i = 0; i < 20; i += 1) {
      const body = LARGE.subarray(0, 100_000)
      await (await http.request({ method: 'PUT', url: new URL(server.url), body })).dump()
    }
  })
  expect(taking).toBeGreaterThan(1.8)
  expect(taking).toBeLessThan(2.2)
})

test('a download that leads to another host is as slow as the one that sent it there', async () => {
  const clock = virtualClock()
  await using storage = await startServer((_seen, response) => void response.end(LARGE))
  await using registry = await startServer(
    (_seen, response) => void response.writeHead(307, { location: `${storage.url}/` }).end(),
  )
  const http = createHttp({
    clock,
    limits: (host) => (host === registry.host ? { bandwidth: () => MB } : undefined),
  })
  const taking = await seconds(clock, async () => {
    const answer = await http.request({ method: 'GET', url: new URL(registry.url), expect: LARGE.length })
    for await (const chunk of answer.body) expect(chunk.length).toBeGreaterThan(0)
  })
  await http.close()
  expect(taking).toBeGreaterThan(5.4)
  expect(taking).toBeLessThan(6.6)
})

test('who waits for bandwidth can be called off, and is not taken for silent', async () => {
  const { http, server } = await site(20_000, { idleTimeoutMs: 300 })
  const stop = AbortSignal.timeout(1500)
  const url = new URL(`/${6 * MB}`, server.url)
  for (const large of [{ expect: 6 * MB }, {}]) {
    const answer = await http
      .request({ method: 'GET', url, signal: stop, ...large })
      .catch((error: unknown) => error)
    const read = async () => {
      if (answer instanceof Error) throw answer
      for await (const _ of (answer as Awaited<ReturnType<typeof http.request>>).body);
    }
    await expect(read()).rejects.toMatchObject({ name: 'TimeoutError' })
  }
})

test('with one place, a copy within one host goes through, however large', async () => {
  const { http, server } = await site(undefined, { limits: () => ({ concurrency: 1 }) })
  const copy = async (size: number): Promise<void> => {
    const open = async function* () {
      const answer = await http.request({ method: 'GET', url: new URL(`/${size}`, server.url), expect: size })
      yield* answer.body
    }
    const answer = await http.request({ method: 'PUT', url: new URL(server.url), body: open, size })
    await answer.dump()
  }
  const small = async (): Promise<void> => {
    await (await http.request({ method: 'HEAD', url: new URL('/10', server.url) })).dump()
  }
  await Promise.all([...Array.from({ length: 20 }, (_, n) => copy(n % 2 ? 6 * MB : MB)), small(), small()])
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(20)
})

test('a download that nobody reads on keeps nobody waiting', async () => {
  const { http, server, get, put } = await site(undefined, { limits: () => ({ concurrency: 1 }) })
  const url = new URL(`/${6 * MB}`, server.url)
  const held = await Promise.all([1, 2, 3].map(() => http.request({ method: 'GET', url, expect: 6 * MB })))
  await put(5 * MB)
  expect(await get(1000)).toBe(sha256(LARGE.subarray(0, 1000)))
  for (const each of held) await each.dump()
})
