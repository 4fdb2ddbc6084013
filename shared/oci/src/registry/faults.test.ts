import { createHash } from 'node:crypto'
import { createHttp, type HttpOptions, type Retry } from '@carryall/http'
import { type Seen, startServer, type TestServer } from '@carryall/http/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sampleBlob, sampleImage, type SampleBlob } from '../testing/index.ts'
import { ANONYMOUS } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

const IMAGE = sampleImage('faults')
const OTHER = sampleImage('other')
const BLOB = sampleBlob({ seed: 'faults', size: 300_000 })
const SMALL = sampleBlob('faults')
const DIGEST = 'docker-content-digest'

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/** A registry that answers as scripted, 404 to all else, and a store for it whose waits are noted, not waited for. */
async function scripted(answer: (seen: Seen, count: number) => Answer | undefined, options: HttpOptions = {}) {
  const counts = new Map<string, number>()
  const server: TestServer = await startServer((seen, response) => {
    const key = `${seen.method} ${seen.url.replace(/\?.*/, '')}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    const { status, headers = {}, body } = answer(seen, counts.get(key)!) ?? { status: seen.url === '/v2/' ? 200 : 404 }
    response.writeHead(status, headers).end(body)
  })
  const slept: number[] = []
  const retries: Retry[] = []
  const retry = { sleep: async (ms: number) => void slept.push(ms), onRetry: (each: Retry) => retries.push(each), random: () => 1 }
  const http = createHttp({ ...options, retry: { ...retry, ...options.retry } })
  onTestFinished(async () => {
    await http.close()
    await server[Symbol.asyncDispose]()
  })
  const store = openRegistry({ host: server.host }, { http, credentials: ANONYMOUS })
  const log = () => server.requests.slice(1).map(({ method, url }) => `${method} ${url}`)
  return { server, store, slept, retries, log }
}

const refusal = (status: number, code: string): Answer => ({ status, body: JSON.stringify({ errors: [{ code, message: 'said so' }] }) })
const manifest = (headers = {}, body = IMAGE.manifest.bytes): Answer => ({ status: 200, headers: { 'content-type': IMAGE.manifest.mediaType, ...headers }, body })

describe('manifests', () => {
  test('all types are asked for, every time', async () => {
    const { store, server } = await scripted(() => manifest())
    await store.head('a', 'v1')
    await store.manifest('a', 'v1')
    for (const { headers } of server.requests.slice(1)) expect(headers.accept!.split(', ')).toHaveLength(5)
  })

  test.each([
    ['without a digest', {}],
    ['with a digest that is none', { [DIGEST]: 'sha256:x' }],
    ['with a type that is none', { [DIGEST]: IMAGE.manifest.digest, 'content-type': 'text/html' }],
  ])('a HEAD %s is asked again by GET', async (_, headers) => {
    const { store, log } = await scripted(({ method }) => (method === 'HEAD' ? manifest(headers) : manifest()))
    expect(await store.head('a', 'v1')).toMatchObject(IMAGE.descriptor)
    expect(log()).toEqual(['HEAD /v2/a/manifests/v1', 'GET /v2/a/manifests/v1'])
  })

  test('a HEAD that is not supported is asked again by GET', async () => {
    const { store } = await scripted(({ method }) => (method === 'HEAD' ? { status: 405 } : manifest()))
    expect(await store.head('a', 'v1')).toMatchObject(IMAGE.descriptor)
  })

  test('lies about a digest are found out', async () => {
    const lies = { [DIGEST]: OTHER.manifest.digest, 'content-length': '100' }
    const { store } = await scripted(({ method }) => manifest(method === 'HEAD' ? lies : { [DIGEST]: OTHER.manifest.digest }))
    const mismatch = { code: 'DIGEST_MISMATCH', exit: 82 }
    await expect(store.head('a', IMAGE.manifest.digest)).rejects.toMatchObject(mismatch)
    await expect(store.manifest('a', 'v1')).rejects.toMatchObject(mismatch)
    const honest = await scripted(() => manifest())
    await expect(honest.store.manifest('a', OTHER.manifest.digest)).rejects.toMatchObject(mismatch)
  })

  test('a manifest of more than 4 MiB is not read to its end', async () => {
    const { store } = await scripted(() => manifest({}, Buffer.alloc(4 * 1024 * 1024 + 1, ' ')))
    await expect(store.manifest('a', 'v1')).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
  })

  test('another type inside than outside is refused', async () => {
    const { store } = await scripted(() => manifest({ 'content-type': 'application/vnd.docker.distribution.manifest.v2+json' }))
    await expect(store.manifest('a', 'v1')).rejects.toMatchObject({ code: 'REG_AMBIGUOUS_MANIFEST' })
  })

  test('a registry that stores another digest than it was given is found out', async () => {
    const { store } = await scripted(() => ({ status: 201, headers: { [DIGEST]: OTHER.manifest.digest } }))
    await expect(store.putManifest('a', 'v1', IMAGE.manifest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  })

  test.each([
    [400, 'MANIFEST_BLOB_UNKNOWN', 'v1', 'REG_REFUSED'],
    [404, 'NAME_UNKNOWN', 'v1', 'REG_REFUSED'],
    [405, 'UNSUPPORTED', 'v1', 'REG_REFUSED'],
    [413, 'SIZE_INVALID', 'v1', 'REG_REFUSED'],
    [409, 'TAG_IMMUTABLE', 'v1', 'TAG_CONFLICT'],
    [409, 'TAG_ALREADY_EXISTS', 'v1', 'TAG_CONFLICT'],
    [412, 'PRECONDITION', 'v1', 'TAG_CONFLICT'],
    [409, 'OTHER', 'v1', 'REG_REFUSED'],
    [412, 'PRECONDITION', IMAGE.manifest.digest, 'REG_REFUSED'],
    [403, 'DENIED', 'v1', 'AUTH_DENIED'],
    [301, 'MOVED', 'v1', 'REG_PROTOCOL'],
  ])('%i %s to %s is %s', async (status, said, reference, code) => {
    const { store, log } = await scripted(({ method }) => (method === 'PUT' ? refusal(status, said) : undefined))
    await expect(store.putManifest('a', reference, IMAGE.manifest)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${said}: said so`),
      details: { actual: said },
    })
    expect(log()).toHaveLength(1)
  })

  test('DIGEST_INVALID for the right bytes passes: another push was writing the same layer’s link', async () => {
    const { store, slept } = await scripted(({ method }, count) => (method === 'PUT' ? (count < 3 ? refusal(400, 'DIGEST_INVALID') : { status: 201 }) : undefined))
    await store.putManifest('a', IMAGE.manifest.digest, IMAGE.manifest)
    expect(slept).toEqual([500, 1000])
    const wrong = store.putManifest('a', OTHER.manifest.digest, IMAGE.manifest)
    await expect(wrong).rejects.toMatchObject({ code: 'REG_REFUSED', details: { actual: 'DIGEST_INVALID' } })
    expect(slept).toHaveLength(2)
  })

  test('what a registry says is shown short, on one line and without control characters', async () => {
    const message = `\u001b[31mred\u202e\n${'x'.repeat(1000)}`
    const { store } = await scripted(({ method }) => (method === 'PUT' ? { status: 400, body: JSON.stringify({ errors: [{ code: 'BAD\n', message }] }) } : undefined))
    const error = await store.putManifest('a', 'v1', IMAGE.manifest).catch((thrown: Error) => thrown)
    // eslint-disable-next-line no-control-regex -- they are what must not be there
    expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u202e]/)
    expect((error as Error).message.length).toBeLessThan(600)
  })

  test('names that are none never reach a path', async () => {
    const { store, server } = await scripted(() => undefined)
    for (const repository of ['../x', 'a/../b', 'A', 'a b', '', 'a%2fb', 'a?x']) {
      await expect(store.head(repository, 'v1')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
      await expect(Array.fromAsync((async function* () { yield* store.tags(repository) })())).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
    }
    for (const reference of ['../x', 'sha256:x', '', 'a/b', `sha256:${'A'.repeat(64)}`, `sha512:${'a'.repeat(128)}`]) {
      await expect(store.manifest('a', reference)).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
    }
    await expect(store.hasBlob('a', 'latest/../x')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
    expect(server.requests.filter(({ url }) => url !== '/v2/')).toEqual([])
  })
})

describe('blobs on their way out', () => {
  const read = async (sample: SampleBlob, answer: Answer, offset = 0) => {
    const { store, server } = await scripted(({ url }) => (url.includes('/blobs/') ? answer : undefined))
    const bytes = Buffer.concat(await Array.fromAsync(store.blob('a', sample.descriptor, offset)))
    return { bytes, range: server.requests.at(-1)!.headers.range }
  }
  const total = BLOB.bytes.length

  test('a range is closed, and its answer checked', async () => {
    const headers = { 'content-range': `bytes 100-${total - 1}/${total}` }
    const { bytes, range } = await read(BLOB, { status: 206, headers, body: BLOB.bytes.subarray(100) }, 100)
    expect(bytes.equals(BLOB.bytes.subarray(100))).toBe(true)
    expect(range).toBe(`bytes=100-${total - 1}`)
  })

  test('a server that ignores the range is read on from there', async () => {
    const { bytes } = await read(BLOB, { status: 200, body: BLOB.bytes }, 200_001)
    expect(bytes.equals(BLOB.bytes.subarray(200_001))).toBe(true)
  })

  test.each([
    [206, { 'content-range': `bytes 0-${total - 1}/${total}` }, 'REG_PROTOCOL'],
    [206, { 'content-range': `bytes 100-${total - 1}/${total + 1}` }, 'REG_PROTOCOL'],
    [206, {}, 'REG_PROTOCOL'],
    [416, {}, 'SIZE_MISMATCH'],
    [404, {}, 'REG_BLOB_UNKNOWN'],
    [204, {}, 'REG_PROTOCOL'],
    [403, {}, 'AUTH_DENIED'],
    [410, {}, 'REG_REFUSED'],
    [503, {}, 'NET_UNAVAILABLE'],
    [429, {}, 'NET_RATE_LIMITED'],
  ])('%i with %j to a range is %s', async (status, headers, code) => {
    await expect(read(BLOB, { status, headers }, 100)).rejects.toMatchObject({ code })
  })

  test('a 206 to a request for all is refused', async () => {
    await expect(read(BLOB, { status: 206, body: 'x' })).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
  })

  test('a blob at its end is not asked for', async () => {
    const { store, server } = await scripted(() => undefined)
    expect(await Array.fromAsync(store.blob('a', BLOB.descriptor, total))).toEqual([])
    expect(server.requests).toEqual([])
  })

  test('HEAD: there, not there, another one, and a storage that does not know HEAD', async () => {
    const has = async (answer: Answer) => (await scripted(({ url }) => (url.includes('/blobs/') ? answer : undefined))).store.hasBlob('a', SMALL.descriptor.digest)
    expect(await has({ status: 200 })).toBe(true)
    expect(await has({ status: 200, headers: { [DIGEST]: BLOB.descriptor.digest } })).toBe(false)
    expect(await has({ status: 404 })).toBe(false)
    const { store } = await scripted(({ url }) => (url.includes('/blobs/') ? { status: 307, headers: { location: '/storage' } } : url === '/storage' ? { status: 403 } : undefined))
    expect(await store.hasBlob('a', SMALL.descriptor.digest)).toBe(false)
    await expect(has({ status: 403 })).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  })
})

describe('blobs on their way in', () => {
  const UPLOADS = '/v2/a/blobs/uploads/'
  const location = (path = '/up/1?_state=a%2Bb%3D%3D&x') => ({ status: 202, headers: { location: path } })
  const sha = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

  test('the location keeps its query, the digest is added', async () => {
    const { store, server } = await scripted(({ method }) => (method === 'POST' ? location() : method === 'PUT' ? { status: 201 } : undefined))
    expect(await store.putBlob('a', BLOB.descriptor, BLOB.open)).toBe('uploaded')
    const [, post, put] = server.requests
    expect(post!.url).toBe(`${UPLOADS}?mount=${encodeURIComponent(BLOB.descriptor.digest)}&from=a`)
    expect(put!.url).toBe(`/up/1?_state=a%2Bb%3D%3D&x&digest=${encodeURIComponent(BLOB.descriptor.digest)}`)
    expect(put!.headers).toMatchObject({ 'content-length': String(BLOB.bytes.length), 'content-type': 'application/octet-stream' })
    expect(sha(put!.body)).toBe(BLOB.descriptor.digest)
  })

  test('the source is opened only when the registry is ready', async () => {
    const order: string[] = []
    const { store } = await scripted(({ method }) => (order.push(method), method === 'POST' ? location() : { status: 201 }))
    const open = () => (order.push('open'), SMALL.open())
    await store.putBlob('a', SMALL.descriptor, open)
    expect(order).toEqual(['GET', 'POST', 'open', 'PUT'])
  })

  test('a registry that does not know mounts is asked by HEAD, then by a plain POST', async () => {
    for (const status of [400, 404, 405]) {
      const { store, log } = await scripted(({ method, url }) => {
        if (method === 'POST') return url.includes('mount') ? refusal(status, 'UNSUPPORTED') : location()
        return method === 'PUT' ? { status: 204 } : undefined
      })
      expect(await store.putBlob('a', SMALL.descriptor, SMALL.open, { mountFrom: 'b' })).toBe('uploaded')
      expect(log().map((line) => line.split(' ')[0])).toEqual(['POST', 'HEAD', 'POST', 'PUT'])
    }
    const there = await scripted(({ method }) => (method === 'HEAD' ? { status: 200 } : method === 'POST' ? { status: 400 } : undefined))
    expect(await there.store.putBlob('a', SMALL.descriptor, SMALL.open)).toBe('present')
  })

  test.each([
    [404, 'BLOB_UPLOAD_UNKNOWN'],
    [404, 'BLOB_UPLOAD_INVALID'],
    [400, 'BLOB_UPLOAD_INVALID'],
    [416, 'RANGE_INVALID'],
  ])('a lost session (%i %s) is a new one', async (status, code) => {
    const { store, slept, server } = await scripted(({ method }, count) => {
      if (method === 'POST') return location(`/up/${count}`)
      return method === 'PUT' && server.requests.filter((seen) => seen.method === 'PUT').length === 1 ? refusal(status, code) : { status: 201 }
    })
    expect(await store.putBlob('a', BLOB.descriptor, BLOB.open)).toBe('uploaded')
    expect(slept).toEqual([500])
    const puts = server.requests.filter(({ method }) => method === 'PUT')
    expect(puts.map(({ url }) => url.slice(0, 5))).toEqual(['/up/1', '/up/2'])
    expect(puts.map(({ body }) => sha(body))).toEqual([BLOB.descriptor.digest, BLOB.descriptor.digest])
  })

  test('5xx in the upload is a new session after a wait; the budget is not exceeded', async () => {
    const { store, server, retries } = await scripted(({ method }) => (method === 'POST' ? location() : method === 'PUT' ? { status: 500 } : undefined), { retry: { times: 2 } })
    await expect(store.putBlob('a', SMALL.descriptor, SMALL.open)).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
    expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(3)
    expect(retries).toHaveLength(2)
  })

  test.each([405, 411, 415, 501])('a registry that refuses the whole (%i) gets it by PATCH, and is remembered', async (status) => {
    const received: Buffer[] = []
    const { store, log } = await scripted(({ method, url, body }) => {
      if (method === 'POST') return location('/up/1')
      if (method === 'PATCH') return received.push(body), { status: 202, headers: { location: '/up/2?s=1' } }
      if (method === 'PUT') return { status: url.startsWith('/up/2') ? 201 : status }
      return undefined
    })
    expect(await store.putBlob('a', BLOB.descriptor, BLOB.open)).toBe('uploaded')
    expect(await store.putBlob('a', SMALL.descriptor, SMALL.open)).toBe('uploaded')
    expect(received.map(sha)).toEqual([BLOB.descriptor.digest, SMALL.descriptor.digest])
    expect(log().map((line) => line.split(' ')[0])).toEqual(['POST', 'PUT', 'POST', 'PATCH', 'PUT', 'POST', 'PATCH', 'PUT'])
  })

  test('a mount or an upload that stores another digest is DIGEST_MISMATCH', async () => {
    const other = { [DIGEST]: SMALL.descriptor.digest }
    const mounted = await scripted(() => ({ status: 201, headers: other }))
    await expect(mounted.store.putBlob('a', BLOB.descriptor, BLOB.open)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    const uploaded = await scripted(({ method }) => (method === 'POST' ? location() : { status: 201, headers: other }))
    await expect(uploaded.store.putBlob('a', BLOB.descriptor, BLOB.open)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  })

  test('wrong bytes of the source are asked for once more, other failures not', async () => {
    const run = async (code: 'DIGEST_MISMATCH' | 'NET_UNAVAILABLE', retryable: boolean) => {
      const { CarryallError } = await import('@carryall/errors')
      const { store, log } = await scripted(({ method }) => (method === 'POST' ? location() : { status: method === 'DELETE' ? 204 : 201 }))
      let opened = 0
      async function* open() {
        opened += 1
        yield BLOB.bytes.subarray(0, 10)
        throw new CarryallError(code, 'Source', { retryable })
      }
      await expect(store.putBlob('a', BLOB.descriptor, open)).rejects.toMatchObject({ code, message: 'Source' })
      return { opened, cancelled: log().filter((line) => line.startsWith('DELETE')).length }
    }
    expect(await run('DIGEST_MISMATCH', false)).toEqual({ opened: 2, cancelled: 2 })
    expect(await run('NET_UNAVAILABLE', true)).toEqual({ opened: 1, cancelled: 1 })
  })

  test('an abort ends it with its reason and without another attempt', async () => {
    const controller = new AbortController()
    const { store, log } = await scripted(({ method }) => (method === 'POST' ? location() : { status: 201 }))
    async function* open() {
      yield BLOB.bytes.subarray(0, 10)
      controller.abort(new Error('stop'))
      yield BLOB.bytes.subarray(10)
    }
    await expect(store.putBlob('a', BLOB.descriptor, open, { signal: controller.signal })).rejects.toThrow('stop')
    expect(log().filter((line) => line.startsWith('POST'))).toHaveLength(1)
  })
})

describe('lists', () => {
  const page = (names: readonly string[] | null, next?: string): Answer => ({ status: 200, headers: next ? { link: `<${next}>; rel="next"` } : {}, body: JSON.stringify({ tags: names }) })
  const tags = async (answer: (url: string, count: number) => Answer) => {
    const { store, log } = await scripted(({ url }, count) => (url.includes('tags') ? answer(url, count) : undefined))
    return { tags: await Array.fromAsync(store.tags('a')), log: log() }
  }

  test('pages are followed by their relative links, and what comes twice is given once', async () => {
    const found = await tags((url) => (url.includes('last=c') ? page(['c', 'd']) : url.includes('last=b') ? page(['b', 'c'], '?last=c') : page(['a', 'b'], '/v2/a/tags/list?last=b')))
    expect(found).toEqual({ tags: ['a', 'b', 'c', 'd'], log: ['GET /v2/a/tags/list?n=1000', 'GET /v2/a/tags/list?last=b', 'GET /v2/a/tags/list?last=c'] })
  })

  test('no tags, and no repository', async () => {
    expect((await tags(() => page(null))).tags).toEqual([])
    expect((await tags(() => refusal(404, 'NAME_UNKNOWN'))).tags).toEqual([])
  })

  test('a registry that finds the page too large chooses its own', async () => {
    expect((await tags((url) => (url.includes('n=') ? refusal(400, 'PAGINATION_NUMBER_INVALID') : page(['a'])))).tags).toEqual(['a'])
  })

  test.each([
    ['the same page for ever', () => page(['a'], '/v2/a/tags/list?n=1000')],
    ['the same names for ever', (_: string, count: number) => page(['a'], `?last=${count}`)],
    ['empty pages for ever', (_: string, count: number) => page([], `?last=${count}`)],
    ['two pages in turn', (url: string) => (url.includes('last=a') ? page(['b'], '?last=b') : page(['a'], '?last=a'))],
    ['no JSON', () => ({ status: 200, body: '<html>' })],
    ['another shape', () => ({ status: 200, body: '{"tags":{}}' })],
    ['a tag that is none', () => page(['../../etc'])],
  ])('%s: REG_PROTOCOL', async (_, answer) => {
    await expect(tags(answer)).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
  })

  test('a registry without a catalog is REG_REFUSED', async () => {
    const { store } = await scripted(() => undefined)
    await expect(Array.fromAsync(store.repositories())).rejects.toMatchObject({ code: 'REG_REFUSED', details: { actual: 404 } })
  })
})

describe('waiting', () => {
  test('Retry-After is kept and 429 ends as NET_RATE_LIMITED', async () => {
    const limited = (header: string) => scripted(({ url }) => (url === '/v2/' ? undefined : { status: 429, headers: { 'retry-after': header } }), { retry: { times: 1 } })
    for (const [header, ms] of [['7', 7000], ['86400', 300_000], ['soon', 500], ['-1', 500]] as const) {
      const { store, slept } = await limited(header)
      await expect(store.head('a', 'v1')).rejects.toMatchObject({ code: 'NET_RATE_LIMITED', exit: 75 })
      expect(slept).toEqual([ms])
    }
  })

  test('a registry that is away for a moment is waited for', async () => {
    const { store, retries } = await scripted(({ url }, count) => (url === '/v2/' ? undefined : count < 3 ? { status: 503 } : manifest()))
    expect((await store.manifest('a', 'v1')).digest).toBe(IMAGE.manifest.digest)
    expect(retries.map(({ attempt }) => attempt)).toEqual([1, 2])
  })
})
