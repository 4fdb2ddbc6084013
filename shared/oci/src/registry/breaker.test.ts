import { createHttp, type HttpClient } from '@carryall/http'
import { type Seen, startServer } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import { sampleBlob, sampleImage, scriptedRegistry, startDockerRegistry } from '../testing/index.ts'
import type { Answer } from '../testing/index.ts'
import type { Destination } from '../store.ts'
import { ANONYMOUS } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

const BLOB = sampleBlob({ seed: 'breaker', size: 1000 })
const IMAGE = sampleImage('breaker')
const repository = ({ url }: Seen): string => /^\/v2\/(.*?)\/(?:blobs|manifests)\//.exec(url)?.[1] ?? ''
const error = (status: number, code: string, message: string): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ errors: [{ code, message }] }),
})
const put = (store: Destination, to: string) => store.putBlob(to, BLOB.descriptor, BLOB.open)
const tag = (store: Destination, to: string) => store.putManifest(to, 'v1', IMAGE.manifest)

/** Takes whatever it is sent, but for what `answer` says. */
const taking =
  (answer: (seen: Seen) => Answer | undefined) =>
  (seen: Seen): Answer | undefined =>
    answer(seen) ??
    (seen.method === 'POST'
      ? { status: 202, headers: { location: `/v2/${repository(seen)}/blobs/uploads/1` } }
      : seen.method === 'PUT'
        ? { status: 201 }
        : undefined)

const guarded = (answer: (seen: Seen) => Answer | undefined, times = 1) =>
  scriptedRegistry(taking(answer), { retry: { times } }, { breaker: {} })

const READ_ONLY: Answer = { status: 405, headers: { allow: 'GET, HEAD' }, body: 'Method not allowed\n' }

test('a registry that two repositories show to be read-only is written to no more, and read on', async () => {
  const { store, server } = await guarded(({ method }) =>
    method === 'GET' || method === 'HEAD' ? undefined : READ_ONLY,
  )
  await expect(put(store, 'a/x')).rejects.toMatchObject({
    code: 'REG_READ_ONLY',
    exit: 77,
    details: { subject: { kind: 'repository', name: `${server.host}/a/x` } },
  })
  const givenUp = { code: 'REG_READ_ONLY', details: { subject: { kind: 'host', name: server.host } } }
  await expect(tag(store, 'b/y')).rejects.toMatchObject(givenUp)
  const asked = server.requests.length
  for (const to of ['a/x', 'b/y', 'c/z']) {
    await expect(put(store, to)).rejects.toMatchObject(givenUp)
    await expect(tag(store, to)).rejects.toMatchObject(givenUp)
  }
  expect(server.requests).toHaveLength(asked)
  expect(await store.head('a/x', 'v1')).toBeUndefined()
})

test('a quota ends writing to its namespace only', async () => {
  const denied = error(
    403,
    'DENIED',
    'adding 1 MiB of storage resource, which will exceed the configured upper limit of 1 GiB.',
  )
  const { store, server } = await guarded((seen) =>
    seen.method === 'PUT' && repository(seen).startsWith('full/') ? denied : undefined,
  )
  await expect(put(store, 'full/x')).rejects.toMatchObject({ code: 'REG_QUOTA_EXCEEDED', exit: 77 })
  await expect(put(store, 'full/y')).rejects.toMatchObject({
    details: { subject: { kind: 'repository', name: `${server.host}/full` }, actual: 'DENIED' },
  })
  const asked = server.requests.length
  await expect(put(store, 'full/z')).rejects.toMatchObject({ code: 'REG_QUOTA_EXCEEDED' })
  expect(server.requests).toHaveLength(asked)
  expect(await put(store, 'other/x')).toBe('uploaded')
})

test('what fits in between shows that there is room', async () => {
  const denied = error(403, 'DENIED', 'quota exceeded')
  const { store } = await guarded((seen) =>
    seen.method === 'PUT' && repository(seen).endsWith('large') ? denied : undefined,
  )
  const full = { code: 'REG_QUOTA_EXCEEDED' }
  await expect(put(store, 'a/large')).rejects.toMatchObject(full)
  await put(store, 'a/small')
  await expect(put(store, 'a/2-large')).rejects.toMatchObject(full)
  await put(store, 'a/small')
})

test('a full disk is not asked again, and ends all writing at once', async () => {
  const full = error(500, 'UNKNOWN', 'write /data: no space left on device')
  const { store, server, slept } = await guarded(({ method }) => (method === 'PUT' ? full : undefined), 5)
  await expect(tag(store, 'a/x')).rejects.toMatchObject({
    code: 'REG_DISK_FULL',
    exit: 69,
    details: { subject: { kind: 'host', name: server.host } },
  })
  const asked = server.requests.length
  await expect(put(store, 'b/y')).rejects.toMatchObject({ code: 'REG_DISK_FULL' })
  expect(server.requests).toHaveLength(asked)
  expect(slept).toEqual([])
})

test('a repository that is read-only, or not ours, is its own matter', async () => {
  const { store, server } = await guarded((seen) => {
    if (seen.method === 'HEAD' || seen.method === 'GET') return undefined
    if (repository(seen) === 'a/mirror') return { status: 405, body: 'a/mirror is in read-only mode.' }
    if (repository(seen).startsWith('theirs/')) return error(403, 'DENIED', 'requested access is denied')
    return undefined
  })
  await expect(put(store, 'a/mirror')).rejects.toMatchObject({ code: 'REG_READ_ONLY' })
  const asked = server.requests.length
  await expect(put(store, 'a/mirror')).rejects.toMatchObject({ code: 'REG_READ_ONLY' })
  expect(server.requests).toHaveLength(asked)
  for (const to of ['theirs/x', 'theirs/y', 'theirs/z'])
    await expect(put(store, to)).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  expect(await put(store, 'a/x')).toBe('uploaded')
})

test('without a breaker every request is sent, and refusals are what they were', async () => {
  const { store, server } = await scriptedRegistry(taking(() => READ_ONLY))
  for (const to of ['a/x', 'b/y', 'c/z'])
    await expect(tag(store, to)).rejects.toMatchObject({ code: 'REG_REFUSED' })
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(3)
})

test('a refusal that is none of these can still be read', async () => {
  const { store } = await guarded(({ method }) =>
    method === 'PUT' ? error(400, 'MANIFEST_INVALID', 'no such thing') : undefined,
  )
  await expect(tag(store, 'a/x')).rejects.toMatchObject({
    code: 'REG_REFUSED',
    details: { actual: 'MANIFEST_INVALID' },
  })
})

test('a registry that eight requests in a row do not reach is given up, with the last cause', async () => {
  const answers = new Map<string, Answer>()
  const { store, server } = await guarded((seen) =>
    seen.url === '/v2/' ? undefined : (answers.get(repository(seen)) ?? { status: 503 }),
  )
  answers.set('there', { status: 404 })
  const asking = (name: string) => store.head(name, 'v1')
  for (let i = 0; i < 7; i += 1)
    await expect(asking('away')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  expect(await asking('there')).toBeUndefined()
  for (let i = 0; i < 7; i += 1)
    await expect(asking('away')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  const givenUp = {
    code: 'REG_GIVEN_UP',
    exit: 69,
    details: { actual: 503, cause: { code: 'NET_UNAVAILABLE' } },
  }
  await expect(asking('away')).rejects.toMatchObject(givenUp)
  const asked = server.requests.length
  await expect(asking('there')).rejects.toMatchObject(givenUp)
  await expect(put(store, 'a/x')).rejects.toMatchObject(givenUp)
  expect(server.requests).toHaveLength(asked)
})

test('uploads count as their attempts do: their caller repeats them', async () => {
  const { store, server } = await scriptedRegistry(
    taking(({ method }) => (method === 'POST' ? { status: 502 } : undefined)),
    { retry: { times: 3 } },
    { breaker: { failures: 2 } },
  )
  await expect(put(store, 'a/x')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  await expect(put(store, 'a/y')).rejects.toMatchObject({ code: 'REG_GIVEN_UP' })
  expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(8)
})

test.each([429, 500])('%i is an answer: the registry is there', async (status) => {
  const { store } = await guarded(() => ({ status }), 0)
  for (let i = 0; i < 20; i += 1)
    await expect(store.head('a', 'v1')).rejects.not.toMatchObject({ code: 'REG_GIVEN_UP' })
})

test('nobody listens: given up; what waits for the same first contact counts once', async () => {
  const server = await startServer(() => {})
  await server[Symbol.asyncDispose]()
  const http = createHttp({ retry: { times: 0 } })
  onTestFinished(() => http.close())
  const store = openRegistry(
    { host: server.host, plainHttp: true },
    { http, credentials: ANONYMOUS, breaker: { failures: 2 } },
  )
  const failures = (await Promise.allSettled([1, 2, 3].map((n) => store.head(`a${n}`, 'v1')))).map(
    (outcome) => (outcome as PromiseRejectedResult).reason as { code: string },
  )
  expect(failures.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'NET_UNAVAILABLE'))
  await expect(store.head('a', 'v1')).rejects.toMatchObject({
    code: 'REG_GIVEN_UP',
    details: { actual: 'ECONNREFUSED' },
  })
})

test('what the source of a body throws is no failure of the destination', async () => {
  const { store } = await scriptedRegistry(
    taking(() => undefined),
    {},
    { breaker: { failures: 1 } },
  )
  const { store: source } = await scriptedRegistry(() => ({ status: 502 }), { retry: { times: 0 } })
  const large = sampleBlob({ seed: 'large', size: 600_000 }).descriptor
  const from = () => source.blob('a', large)
  for (let i = 0; i < 3; i += 1)
    await expect(store.putBlob('a/x', large, from)).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  expect(await put(store, 'a/x')).toBe('uploaded')
})

test('a caller that has no time any more says nothing about the registry', async () => {
  const { store } = await scriptedRegistry(() => ({ status: 404 }), {}, { breaker: { failures: 1 } })
  for (let i = 0; i < 3; i += 1)
    await expect(store.head('a', 'v1', AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
  expect(await store.head('a', 'v1')).toBeUndefined()
})

test('docker-registry in read-only mode', async () => {
  await using server = await startDockerRegistry({ readOnly: true })
  const client = createHttp()
  onTestFinished(() => client.close())
  const sent: string[] = []
  const http: HttpClient = {
    ...client,
    request: (request) => {
      sent.push(request.method)
      return client.request(request)
    },
  }
  const store = openRegistry(server, { http, credentials: ANONYMOUS, breaker: {} })
  for (const to of ['a/x', 'b/y'])
    await expect(put(store, to)).rejects.toMatchObject({ code: 'REG_READ_ONLY' })
  await expect(put(store, 'c/z')).rejects.toMatchObject({
    details: { subject: { kind: 'host', name: server.host } },
  })
  expect(await store.head('a/x', 'v1')).toBeUndefined()
  expect(sent.filter((method) => method === 'POST')).toHaveLength(2)
})
