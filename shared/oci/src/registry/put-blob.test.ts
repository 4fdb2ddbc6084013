import { createHash } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import { expect, test } from 'vitest'
import { refusing, sampleBlob, scriptedRegistry } from '../testing/index.ts'

const BLOB = sampleBlob({ seed: 'faults', size: 300_000 })
const SMALL = sampleBlob('faults')
const DIGEST = 'docker-content-digest'

const UPLOADS = '/v2/a/blobs/uploads/'
const location = (path = '/up/1?_state=a%2Bb%3D%3D&x') => ({ status: 202, headers: { location: path } })
const sha = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

test('the location keeps its query, the digest is added', async () => {
  const { store, server } = await scriptedRegistry(({ method }) =>
    method === 'POST' ? location() : method === 'PUT' ? { status: 201 } : undefined,
  )
  expect(await store.putBlob('a', BLOB.descriptor, BLOB.open)).toBe('uploaded')
  const [, post, put] = server.requests
  expect(post!.url).toBe(`${UPLOADS}?mount=${encodeURIComponent(BLOB.descriptor.digest)}&from=a`)
  expect(put!.url).toBe(`/up/1?_state=a%2Bb%3D%3D&x&digest=${encodeURIComponent(BLOB.descriptor.digest)}`)
  expect(put!.headers).toMatchObject({
    'content-length': String(BLOB.bytes.length),
    'content-type': 'application/octet-stream',
  })
  expect(sha(put!.body)).toBe(BLOB.descriptor.digest)
})

test('the source is opened only when the registry is ready', async () => {
  const order: string[] = []
  const { store } = await scriptedRegistry(
    ({ method }) => (order.push(method), method === 'POST' ? location() : { status: 201 }),
  )
  const open = () => (order.push('open'), SMALL.open())
  await store.putBlob('a', SMALL.descriptor, open)
  expect(order).toEqual(['GET', 'POST', 'open', 'PUT'])
})

test('a registry that does not know mounts is asked by HEAD, then by a plain POST', async () => {
  for (const status of [400, 404, 405]) {
    const { store, log } = await scriptedRegistry(({ method, url }) => {
      if (method === 'POST') return url.includes('mount') ? refusing(status, 'UNSUPPORTED') : location()
      return method === 'PUT' ? { status: 204 } : undefined
    })
    expect(await store.putBlob('a', SMALL.descriptor, SMALL.open, { mountFrom: 'b' })).toBe('uploaded')
    expect(log().map((line) => line.split(' ')[0])).toEqual(['POST', 'HEAD', 'POST', 'PUT'])
  }
  const there = await scriptedRegistry(({ method }) =>
    method === 'HEAD' ? { status: 200 } : method === 'POST' ? { status: 400 } : undefined,
  )
  expect(await there.store.putBlob('a', SMALL.descriptor, SMALL.open)).toBe('present')
})

test.each([
  [404, 'BLOB_UPLOAD_UNKNOWN'],
  [404, 'BLOB_UPLOAD_INVALID'],
  [400, 'BLOB_UPLOAD_INVALID'],
  [416, 'RANGE_INVALID'],
])('a lost session (%i %s) is a new one', async (status, code) => {
  const { store, slept, server } = await scriptedRegistry(({ method }, count) => {
    if (method === 'POST') return location(`/up/${count}`)
    return method === 'PUT' && server.requests.filter((seen) => seen.method === 'PUT').length === 1
      ? refusing(status, code)
      : { status: 201 }
  })
  expect(await store.putBlob('a', BLOB.descriptor, BLOB.open)).toBe('uploaded')
  expect(slept).toEqual([500])
  const puts = server.requests.filter(({ method }) => method === 'PUT')
  expect(puts.map(({ url }) => url.slice(0, 5))).toEqual(['/up/1', '/up/2'])
  expect(puts.map(({ body }) => sha(body))).toEqual([BLOB.descriptor.digest, BLOB.descriptor.digest])
})

test('5xx in the upload is a new session after a wait; the budget is not exceeded', async () => {
  const { store, server, retries } = await scriptedRegistry(
    ({ method }) => (method === 'POST' ? location() : method === 'PUT' ? { status: 500 } : undefined),
    { retry: { times: 2 } },
  )
  await expect(store.putBlob('a', SMALL.descriptor, SMALL.open)).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
  })
  expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(3)
  expect(retries).toHaveLength(2)
})

test.each([405, 411, 415, 501])(
  'a registry that refuses the whole (%i) gets it by PATCH, and is remembered',
  async (status) => {
    const received: Buffer[] = []
    const { store, log } = await scriptedRegistry(({ method, url, body }) => {
      if (method === 'POST') return location('/up/1')
      if (method === 'PATCH')
        return (received.push(body), { status: 202, headers: { location: '/up/2?s=1' } })
      if (method === 'PUT') return { status: url.startsWith('/up/2') ? 201 : status }
      return undefined
    })
    expect(await store.putBlob('a', BLOB.descriptor, BLOB.open)).toBe('uploaded')
    expect(await store.putBlob('a', SMALL.descriptor, SMALL.open)).toBe('uploaded')
    expect(received.map(sha)).toEqual([BLOB.descriptor.digest, SMALL.descriptor.digest])
    expect(log().map((line) => line.split(' ')[0])).toEqual([
      'POST',
      'PUT',
      'POST',
      'PATCH',
      'PUT',
      'POST',
      'PATCH',
      'PUT',
    ])
  },
)

test('a mount or an upload that stores another digest is DIGEST_MISMATCH', async () => {
  const other = { [DIGEST]: SMALL.descriptor.digest }
  const mounted = await scriptedRegistry(() => ({ status: 201, headers: other }))
  await expect(mounted.store.putBlob('a', BLOB.descriptor, BLOB.open)).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  })
  const uploaded = await scriptedRegistry(({ method }) =>
    method === 'POST' ? location() : { status: 201, headers: other },
  )
  await expect(uploaded.store.putBlob('a', BLOB.descriptor, BLOB.open)).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  })
})

test('wrong bytes of the source are asked for once more, other failures not', async () => {
  const run = async (code: 'DIGEST_MISMATCH' | 'NET_UNAVAILABLE', retryable: boolean) => {
    const { store, log } = await scriptedRegistry(({ method }) =>
      method === 'POST' ? location() : { status: method === 'DELETE' ? 204 : 201 },
    )
    let opened = 0
    async function* open() {
      opened += 1
      yield BLOB.bytes.subarray(0, 10)
      throw new CarryallError(code, 'Source', { retryable })
    }
    await expect(store.putBlob('a', BLOB.descriptor, open)).rejects.toMatchObject({
      code,
      message: 'Source',
    })
    return { opened, cancelled: log().filter((line) => line.startsWith('DELETE')).length }
  }
  expect(await run('DIGEST_MISMATCH', false)).toEqual({ opened: 2, cancelled: 2 })
  expect(await run('NET_UNAVAILABLE', true)).toEqual({ opened: 1, cancelled: 1 })
})

test('an abort ends it with its reason and without another attempt', async () => {
  const controller = new AbortController()
  const { store, log } = await scriptedRegistry(({ method }) =>
    method === 'POST' ? location() : { status: 201 },
  )
  async function* open() {
    yield BLOB.bytes.subarray(0, 10)
    controller.abort(new Error('stop'))
    yield BLOB.bytes.subarray(10)
  }
  await expect(store.putBlob('a', BLOB.descriptor, open, { signal: controller.signal })).rejects.toThrow(
    'stop',
  )
  expect(log().filter((line) => line.startsWith('POST'))).toHaveLength(1)
})
