import { stat } from 'node:fs/promises'
import {
  pushSample,
  sampleBlob,
  sampleImage,
  startDockerRegistry,
  type DockerRegistry,
} from '@carryall/oci/testing'
import { connectStores } from '@carryall/oci'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { faultRules, type FaultRule } from '../support/fault-rules.ts'
import {
  comeAgain,
  diskFull,
  type Fault,
  outOfRange,
  OVER_QUOTA,
  READ_ONLY,
  refusing,
  RETRY_AFTER,
} from '../support/faults.ts'
import { openStores } from '../support/stores.ts'
import { wire } from '../support/wire.ts'

const image = sampleImage('proxied', { layers: [5000] })
const [config, layer] = [image.blobs[0]!, image.blobs[1]!]
const blobPath = `/v2/app/blobs/${layer.descriptor.digest}`
const manifestPath = '/v2/app/manifests/1'
const accept = { accept: image.manifest.mediaType }

let registry: DockerRegistry
let proxy: FaultProxy

beforeEach(async () => {
  registry = await startDockerRegistry()
  proxy = await startFaultProxy(registry.url)
  const stores = await openStores()
  await pushSample(stores.registry(registry.host), 'app', image, '1')
  await stores.close()
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await registry.stop()
})

const always = (fault: Fault) => void (proxy.faults = () => fault)
const rules = (...given: readonly FaultRule[]) => void (proxy.faults = faultRules(1, given))
const get = (path: string, ms?: number) =>
  wire(proxy.host, `GET ${path}`, { headers: accept, ...(ms ? { ms } : {}) })
const open = async () => {
  const answer = await fetch(`http://${proxy.host}/v2/app/blobs/uploads/`, { method: 'POST' })
  return answer.headers.get('location')!
}
const uploadsOpen = () => registry.requests().filter(({ method }) => method === 'PATCH')

describe('without a fault', () => {
  test('it is the registry, to the byte, and locations lead back to it', async () => {
    expect((await get(blobPath)).body).toEqual(layer.bytes)
    expect(new URL(await open()).host).toBe(proxy.host)
    expect(proxy.counts()).toEqual({})
  })

  test('every request has its phase', async () => {
    const stores = await openStores()
    const store = stores.registry(proxy.host)
    await pushSample(store, 'new', image, 'x')
    await store.manifest('new', 'x')
    await Array.fromAsync(store.blob('new', config.descriptor))
    await Array.fromAsync(store.tags('new'))
    await store.head('app', '1')
    await stores.close()
    await get(manifestPath)
    const location = await open()
    await fetch(location)
    await fetch(location, { method: 'PATCH', body: 'x' })
    await fetch(location, { method: 'DELETE' })
    const phases = new Set(proxy.requests.flatMap((request) => request.phases))
    expect([...phases].toSorted()).toEqual([
      'blob-get',
      'delete',
      'head',
      'list',
      'manifest-get',
      'manifest-put',
      'ping',
      'read-back',
      'upload-begin',
      'upload-patch',
      'upload-put',
      'upload-status',
    ])
  })
})

describe('the bytes of an answer', () => {
  test('come late', async () => {
    always({ fault: 'delay', ms: 150 })
    const answer = await get(blobPath)
    expect(answer.firstByteMs).toBeGreaterThan(140)
    expect(answer.body).toEqual(layer.bytes)
  })

  test.each([0, 1, 1000])('are cut off by a reset after %i', async (after) => {
    always({ fault: 'reset', after })
    const answer = await get(blobPath)
    expect([answer.end, answer.body.length, answer.status]).toEqual(['reset', after, 200])
  })

  test('stop coming', async () => {
    always({ fault: 'stall', after: 1000 })
    const answer = await get(blobPath)
    expect([answer.end, answer.body.length]).toEqual(['open', 1000])
  })

  test('end too early, with the length that was right, or the one that is', async () => {
    always({ fault: 'truncate', after: 1000 })
    const short = await get(blobPath)
    expect([short.end, short.body.length, short.headers['content-length']]).toEqual([
      'fin',
      1000,
      String(layer.descriptor.size),
    ])
    always({ fault: 'truncate', after: 1000, honest: true })
    expect((await get(blobPath)).headers['content-length']).toBe('1000')
  })

  test('have another length than was said', async () => {
    always({ fault: 'length', length: 7000 })
    const answer = await get(blobPath)
    expect([answer.headers['content-length'], answer.body.length, answer.end]).toEqual([
      '7000',
      layer.descriptor.size,
      'fin',
    ])
  })

  test('end within a chunk', async () => {
    always({ fault: 'chunk', after: 100 })
    const answer = await get(blobPath)
    const said = `${layer.descriptor.size.toString(16)}\r\n`
    expect([answer.headers['transfer-encoding'], answer.end]).toEqual(['chunked', 'fin'])
    expect(answer.body).toEqual(Buffer.concat([Buffer.from(said), layer.bytes.subarray(0, 100)]))
    await expect(
      fetch(`http://${proxy.host}${blobPath}`).then((chunked) => chunked.arrayBuffer()),
    ).rejects.toThrow()
  })

  test('are others, or more', async () => {
    always({ fault: 'bytes' })
    const others = await get(blobPath)
    expect(others.body.length).toBe(layer.bytes.length)
    expect(others.body.equals(layer.bytes)).toBe(false)
    always({ fault: 'extra', count: 3 })
    expect((await get(blobPath)).body.length).toBe(layer.bytes.length + 3)
  })

  test('have a digest in the header that is a lie', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    always({ fault: 'digest', digest })
    const answer = await get(manifestPath)
    expect([answer.headers['docker-content-digest'], answer.body]).toEqual([digest, image.manifest.bytes])
  })
})

describe('the connection of an upload', () => {
  test('is torn down when half of the bytes are with the registry', async () => {
    const { pathname, search } = new URL(await open())
    rules({ phase: 'upload-patch', fault: { fault: 'drop', after: 1000 } })
    const cut = await wire(proxy.host, `PATCH ${pathname}${search}`, { body: 'x'.repeat(3000) })
    expect([cut.end, cut.status]).toEqual(['reset', undefined])
    const id = pathname.split('/').at(-1)!
    const file = `${registry.storage}/docker/registry/v2/repositories/app/_uploads/${id}/data`
    await expect.poll(async () => (await stat(file)).size).toBe(1000)
  })

  test.each([true, undefined])('takes the whole, but its answer is lost; in silence: %s', async (silent) => {
    const { pathname, search } = new URL(await open())
    rules({ phase: 'upload-patch', fault: { fault: 'lost-reply', ...(silent ? { silent } : {}) } })
    const lost = await wire(proxy.host, `PATCH ${pathname}${search}`, { body: 'x'.repeat(3000) })
    expect([lost.status, lost.end]).toEqual([undefined, silent ? 'open' : 'reset'])
    await expect.poll(uploadsOpen).toMatchObject([{ status: 202 }])
  })

  test('loses its session for good', async () => {
    const { pathname, search } = new URL(await open())
    rules({ phase: 'upload-patch', fault: { fault: 'lost-upload' }, times: 1 })
    for (const method of ['PATCH', 'PATCH', 'GET', 'PUT']) {
      const answer = await wire(proxy.host, `${method} ${pathname}${search}`, { body: 'x' })
      expect(answer.status).toBe(404)
      expect(answer.body.toString()).toContain('BLOB_UPLOAD_UNKNOWN')
    }
    expect(new URL(await open()).pathname).not.toBe(pathname)
  })
})

describe('an answer that is made up', () => {
  test.each<[string, Fault, number, RegExp]>([
    ['416', outOfRange(9), 416, /^\{"errors":\[\]\}$/],
    ['a refusal', refusing(404, 'NAME_UNKNOWN'), 404, /"code":"NAME_UNKNOWN"/],
    ['a read-only registry', READ_ONLY, 405, /^405 method not allowed$/],
    ['a quota', OVER_QUOTA, 403, /"code":"DENIED"/],
    ['a full disk', diskFull(500), 500, /no space left on device/],
    ['a full disk', diskFull(507), 507, /no space left on device/],
  ])('of %s', async (_name, fault, status, body) => {
    always(fault)
    const answer = await wire(proxy.host, 'POST /v2/app/blobs/uploads/')
    expect(answer.status).toBe(status)
    expect(answer.body.toString()).toMatch(body)
    expect(registry.requests().filter(({ path }) => path.endsWith('/uploads/')).length).toBeLessThan(3)
  })

  test('is plain text where the registry is read-only', async () => {
    always(READ_ONLY)
    expect((await wire(proxy.host, 'POST /v2/app/blobs/uploads/')).headers).toMatchObject({
      allow: 'GET, HEAD',
      'content-type': 'text/plain; charset=utf-8',
    })
  })

  test.each([408, 429, 500, 502, 503, 504] as const)(
    'of %i says when to come again, or says nonsense',
    async (status) => {
      const said = []
      for (const form of RETRY_AFTER) {
        always(comeAgain(status, form))
        const answer = await get(manifestPath)
        expect(answer.status).toBe(status)
        said.push(answer.headers['retry-after'])
      }
      expect(said).toEqual(['1', expect.stringMatching(/GMT$/), '31536000', '-5', 'soon; or later'])
      expect(Date.parse(said[1]!)).toBeGreaterThan(Date.now() - 2000)
    },
  )

  test('says yes to a HEAD of what is not there', async () => {
    const digest = sampleBlob('never pushed').descriptor.digest
    rules({ phase: 'head', fault: { fault: 'claim', size: 12 } })
    const head = await wire(proxy.host, `HEAD /v2/app/blobs/${digest}`)
    expect([head.status, head.headers['content-length'], head.headers['docker-content-digest']]).toEqual([
      200,
      '12',
      digest,
    ])
    expect((await get(`/v2/app/blobs/${digest}`)).status).toBe(404)
  })

  test('leads to another origin: redirect, realm, location, link', async () => {
    always({ fault: 'redirect', to: 'http://127.0.0.2:1/elsewhere' })
    const redirect = await get(blobPath)
    expect([redirect.status, redirect.headers.location]).toEqual([307, 'http://127.0.0.2:1/elsewhere'])
    always({ fault: 'realm', to: 'http://127.0.0.2:1/token' })
    const realm = await get('/v2/')
    expect([realm.status, realm.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="http://127.0.0.2:1/token",service="test"',
    ])
    always({ fault: 'foreign', to: 'http://127.0.0.2:1' })
    const upload = await wire(proxy.host, 'POST /v2/app/blobs/uploads/')
    expect([upload.status, upload.headers.location]).toEqual([
      202,
      expect.stringMatching(/^http:\/\/127\.0\.0\.2:1\/v2\/app\/blobs\/uploads\//),
    ])
    expect((await get('/v2/app/tags/list')).headers.link).toBe('<http://127.0.0.2:1/next>; rel="next"')
    expect((await get('/v2/_catalog?n=0')).headers.link).toMatch(/^<http:\/\/127\.0\.0\.2:1\//)
  })
})

describe('a token', () => {
  test.each([
    ['once', 1, [200, 401, 200]],
    ['for ever', Infinity, [200, 401, 401]],
  ])('expires %s', async (_name, times, statuses) => {
    await using locked = await startDockerRegistry({ auth: { username: 'u', password: 'p' } })
    await using guarded = await startFaultProxy(locked.url)
    const authorization = `Basic ${btoa('u:p')}`
    const nth = times === 1 ? { nth: 2 } : { nth: [2, 3] }
    guarded.faults = faultRules(1, [{ fault: { fault: 'expired' }, ...nth }])
    const seen: (number | undefined)[] = []
    for (let index = 0; index < 3; index++) {
      const { status, headers } = await wire(guarded.host, 'GET /v2/', { headers: { authorization } })
      seen.push(status)
      if (status === 401) expect(headers['www-authenticate']).toBe('Basic realm="test"')
    }
    expect(seen).toEqual(statuses)
  })

  test('expires where there was none, too', async () => {
    always({ fault: 'expired' })
    expect(await get('/v2/')).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="expired"' },
    })
  })
})

test('what was just written is seen late', async () => {
  rules({ phase: 'read-back', fault: { fault: 'late', ms: 300 } })
  expect((await get(manifestPath)).status).toBe(200)
  const put = {
    method: 'PUT',
    body: image.manifest.bytes,
    headers: { 'content-type': image.manifest.mediaType },
  }
  expect((await fetch(`http://${proxy.host}${manifestPath}`, put)).status).toBe(201)
  expect((await get(manifestPath, 50)).status).toBe(404)
  expect((await wire(proxy.host, `HEAD ${manifestPath}`, { headers: accept, ms: 50 })).status).toBe(404)
  await expect.poll(async () => (await get(manifestPath, 50)).status).toBe(200)
  expect(proxy.counts().late).toBeGreaterThanOrEqual(2)
})

describe('rules', () => {
  const statuses = async (count: number, path = manifestPath) => {
    const seen: (number | undefined)[] = []
    for (let index = 0; index < count; index++) seen.push((await get(path, 100)).status)
    return seen
  }

  test('pick by number, by path, by method and by how often', async () => {
    rules(
      { nth: [2, 4], path: /manifests/, fault: { fault: 'status', status: 500 } },
      { method: 'GET', path: /blobs/, perRequest: 1, fault: { fault: 'status', status: 502 } },
      {
        times: 1,
        phase: ['ping', 'list'],
        fault: ({ phases }) => ({ fault: 'status', status: phases[0] === 'ping' ? 503 : 504 }),
      },
    )
    expect(await statuses(5)).toEqual([200, 500, 200, 500, 200])
    expect(await statuses(2, blobPath)).toEqual([502, 200])
    expect(await statuses(1, `/v2/app/blobs/${config.descriptor.digest}`)).toEqual([502])
    expect(await statuses(2, '/v2/')).toEqual([503, 200])
    expect(proxy.counts()).toEqual({ status: 5 })
  })

  test('with a probability do the same for the same seed, and about as often as they say', () => {
    const request = {
      method: 'GET',
      path: '/',
      phases: ['other'],
      range: undefined,
      authorization: undefined,
      before: 0,
      sincePut: undefined,
    } as const
    const run = (seed: number) => {
      const decide = faultRules(seed, [{ probability: 0.2, fault: { fault: 'bytes' } }])
      return Array.from({ length: 1000 }, () => (decide(request) === undefined ? 0 : 1))
    }
    expect(run(7)).toEqual(run(7))
    expect(run(7)).not.toEqual(run(8))
    const share = run(7).reduce<number>((sum, each) => sum + each, 0) / 1000
    expect(share).toBeGreaterThan(0.15)
    expect(share).toBeLessThan(0.25)
  })

  test('let a client through that tries again', async () => {
    rules({ probability: 0.5, perRequest: 3, fault: { fault: 'status', status: 503 } })
    const stores = await connectStores({
      env: {},
      userAgent: 'test',
      tlsVerify: true,
      plainHttp: [],
      allowedRealms: [],
      retry: { times: 5, delayMs: 1 },
    })
    await pushSample(stores.registry(proxy.host), 'through', image, '1')
    await stores.close()
    expect(proxy.counts().status).toBeGreaterThan(0)
    proxy.faults = () => undefined
    expect((await get('/v2/through/manifests/1')).body).toEqual(image.manifest.bytes)
  })
})
