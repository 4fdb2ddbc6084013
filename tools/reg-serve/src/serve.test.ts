import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout, type LayoutStore } from '@carryall/oci'
import { pushSample, sampleArtifact, sampleBlob, sampleImage, sampleIndex } from '@carryall/oci/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serve, type ServeOptions, type Served, type Serving } from './serve.ts'

const ABSENT = `sha256:${'0'.repeat(64)}`

let directory: string
let store: LayoutStore
let server: Serving
let served: Served[]

const start = async (options: Partial<ServeOptions> = {}) => {
  await server?.close()
  server = await serve(store, {
    host: '127.0.0.1',
    port: 0,
    onServed: (line) => served.push(line),
    ...options,
  })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  served = []
  store = await openLayout(join(directory, 'layout'), { write: true })
  await start()
})
afterEach(async () => {
  await server.close()
  await store.close()
  await rm(directory, { recursive: true })
})

const call = (
  method: string,
  path: string,
  init: { headers?: Record<string, string>; body?: Uint8Array | string } = {},
) => fetch(new URL(path, server.url), { method, redirect: 'manual', ...init } as RequestInit)
const code = async (response: Response) =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code

describe('pull', () => {
  test('the base says that this is a registry', async () => {
    const response = await call('GET', '/v2/')
    expect(response.status).toBe(200)
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0')
    expect((await call('HEAD', '/v2/')).status).toBe(200)
  })

  test('a manifest by tag and digest, HEAD without a body, 304 for what is known, whatever Accept says', async () => {
    const image = sampleImage('pull', { docker: true })
    await pushSample(store, 'group/app', image, 'v1')
    const { digest, mediaType, bytes } = image.manifest
    for (const reference of ['v1', digest]) {
      for (const method of ['GET', 'HEAD']) {
        const response = await call(method, `/v2/group/app/manifests/${reference}`, {
          headers: { accept: 'text/html' },
        })
        expect(response.status).toBe(200)
        expect(response.headers.get('docker-content-digest')).toBe(digest)
        expect(response.headers.get('content-type')).toBe(mediaType)
        expect(response.headers.get('content-length')).toBe(String(bytes.length))
        expect(Buffer.from(await response.arrayBuffer())).toEqual(method === 'GET' ? bytes : Buffer.alloc(0))
        const etag = response.headers.get('etag')!
        const unchanged = await call(method, `/v2/group/app/manifests/${reference}`, {
          headers: { 'if-none-match': `"other", W/${etag}` },
        })
        expect(unchanged.status).toBe(304)
      }
    }
    const absent = await call('GET', '/v2/group/app/manifests/none')
    expect([absent.status, await code(absent)]).toEqual([404, 'MANIFEST_UNKNOWN'])
    const head = await call('HEAD', '/v2/group/app/manifests/none')
    expect([head.status, await head.text()]).toEqual([404, ''])
  })

  test('a blob, whole and in ranges', async () => {
    const blob = sampleBlob({ seed: 'ranges', size: 2_500_000 })
    const { digest, size } = blob.descriptor
    await store.putBlob('app', blob.descriptor, blob.open)
    const get = async (range?: string, headers: Record<string, string> = {}) => {
      const response = await call('GET', `/v2/app/blobs/${digest}`, {
        headers: { ...(range ? { range } : {}), ...headers },
      })
      return {
        status: response.status,
        range: response.headers.get('content-range'),
        body: Buffer.from(await response.arrayBuffer()),
      }
    }
    const whole = await get()
    expect([whole.status, whole.body.equals(blob.bytes)]).toEqual([200, true])
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=1000000-2100000', 1_000_000, 2_100_000],
      ['bytes=2400000-', 2_400_000, size - 1],
      ['bytes=-5', size - 5, size - 1],
    ] as const) {
      const part = await get(range)
      expect([part.status, part.range]).toEqual([206, `bytes ${from}-${to}/${size}`])
      expect(part.body.equals(blob.bytes.subarray(from, to + 1))).toBe(true)
    }
    expect(await get(`bytes=${size}-`)).toMatchObject({ status: 416, range: `bytes */${size}` })
    expect((await get('bytes=0-1', { 'if-range': '"another"' })).status).toBe(200)
    expect((await get('bytes=0-1', { 'if-range': `"${digest}"` })).status).toBe(206)
    expect((await get(undefined, { 'if-none-match': `"${digest}"` })).status).toBe(304)
    const head = await call('HEAD', `/v2/app/blobs/${digest}`)
    expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([
      200,
      String(size),
      'bytes',
    ])
    const absent = await call('GET', `/v2/app/blobs/${ABSENT}`)
    expect([absent.status, await code(absent)]).toEqual([404, 'BLOB_UNKNOWN'])
    expect((await call('GET', `/v2/app/blobs/sha512:${'0'.repeat(128)}`)).status).toBe(404)
  })

  test('an empty blob', async () => {
    const blob = sampleBlob('')
    await store.putBlob('app', blob.descriptor, blob.open)
    const response = await call('GET', `/v2/app/blobs/${blob.descriptor.digest}`)
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '0',
      '',
    ])
  })

  test('tags and repositories, page by page', async () => {
    const image = sampleImage('pages')
    for (const tag of ['c', 'a', 'b', 'e', 'd']) await pushSample(store, 'z/app', image, tag)
    await pushSample(store, 'app', image)
    const follow = async (first: string, key: 'tags' | 'repositories') => {
      const pages: string[][] = []
      for (let next: string | undefined = first; next !== undefined;) {
        const response: Response = await call('GET', next)
        pages.push(((await response.json()) as Record<string, string[]>)[key]!)
        next = /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
      }
      return pages
    }
    expect(await follow('/v2/z/app/tags/list?n=2', 'tags')).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(await follow('/v2/z/app/tags/list?last=c', 'tags')).toEqual([['d', 'e']])
    expect(await follow('/v2/_catalog?n=1', 'repositories')).toEqual([['app'], ['z/app']])
    await start({ pageSize: 2 })
    expect(await follow('/v2/z/app/tags/list', 'tags')).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(await (await call('GET', '/v2/app/tags/list')).json()).toEqual({ name: 'app', tags: [] })
    const absent = await call('GET', '/v2/none/tags/list')
    expect([absent.status, await code(absent)]).toEqual([404, 'NAME_UNKNOWN'])
    const wrong = await call('GET', '/v2/z/app/tags/list?n=x')
    expect([wrong.status, await code(wrong)]).toEqual([400, 'UNSUPPORTED'])
  })

  test('referrers, all and of one type', async () => {
    const image = sampleImage('subject')
    await pushSample(store, 'app', image, 'v1')
    const [signature, sbom] = [
      sampleArtifact('one', image.descriptor),
      sampleArtifact('two', image.descriptor, 'application/vnd.example.sbom'),
    ]
    for (const artifact of [signature, sbom]) await pushSample(store, 'app', artifact)
    const all = await call('GET', `/v2/app/referrers/${image.manifest.digest}`)
    expect([all.headers.get('content-type'), all.headers.get('oci-filters-applied')]).toEqual([
      'application/vnd.oci.image.index.v1+json',
      null,
    ])
    const byDigest = [signature, sbom]
      .map((each) => each.descriptor)
      .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    expect(await all.json()).toMatchObject({ schemaVersion: 2, manifests: byDigest })
    const some = await call(
      'GET',
      `/v2/app/referrers/${image.manifest.digest}?artifactType=application/vnd.example.sbom`,
    )
    expect(some.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(((await some.json()) as { manifests: unknown[] }).manifests).toMatchObject([sbom.descriptor])
    const none = await call('GET', `/v2/app/referrers/${ABSENT}`)
    expect([none.status, ((await none.json()) as { manifests: unknown[] }).manifests]).toEqual([200, []])
  })

  test('a client that goes away in the middle is let go', async () => {
    const blob = sampleBlob({ seed: 'left', size: 50_000_000 })
    await store.putBlob('app', blob.descriptor, blob.open)
    const gone = Array.from({ length: 20 }, async () => {
      const response = await call('GET', `/v2/app/blobs/${blob.descriptor.digest}`)
      const reader = response.body!.getReader()
      await reader.read()
      await reader.cancel()
    })
    await Promise.all(gone)
    await expect.poll(() => served.length, { timeout: 10_000 }).toBe(20)
    expect(served.some((line) => line.error !== undefined)).toBe(false)
    expect(
      (await call('GET', `/v2/app/blobs/${blob.descriptor.digest}`, { headers: { range: 'bytes=0-0' } }))
        .status,
    ).toBe(206)
  })

  test('slow clients do not keep others waiting', async () => {
    const blob = sampleBlob({ seed: 'slow', size: 20_000_000 })
    await store.putBlob('app', blob.descriptor, blob.open)
    const slow = await Promise.all(
      Array.from({ length: 40 }, () => call('GET', `/v2/app/blobs/${blob.descriptor.digest}`)),
    )
    const quick = await call('GET', `/v2/app/blobs/${blob.descriptor.digest}`)
    expect(Buffer.from(await quick.arrayBuffer()).equals(blob.bytes)).toBe(true)
    for (const response of slow)
      expect(Buffer.from(await response.arrayBuffer()).equals(blob.bytes)).toBe(true)
  })

  test('a blob that is shorter than it was breaks the connection', async () => {
    const file = join(directory, 'short')
    await writeFile(file, Buffer.alloc(2_000_000))
    const lying: LayoutStore = { ...store, blobPlace: async () => ({ file, offset: 0, size: 2_000_001 }) }
    const other = await serve(lying, { host: '127.0.0.1', port: 0 })
    const reading = fetch(`${other.url}/v2/app/blobs/${ABSENT}`).then((response) => response.arrayBuffer())
    await expect(reading).rejects.toThrow()
    await other.close()
  })
})

describe('push', () => {
  const open = async (query = '') => {
    const response = await call('POST', `/v2/app/blobs/uploads/${query}`)
    expect(response.status).toBe(202)
    return response.headers.get('location')!
  }

  test('POST, then PUT with all', async () => {
    const blob = sampleBlob({ seed: 'monolithic', size: 3_000_000 })
    const location = await open()
    const response = await call('PUT', `${location}?digest=${blob.descriptor.digest}`, { body: blob.bytes })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(`/v2/app/blobs/${blob.descriptor.digest}`)
    expect(await store.blobPlace('app', blob.descriptor.digest)).toMatchObject({ size: blob.bytes.length })
    const gone = await call('GET', location)
    expect([gone.status, await code(gone)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
    const again = await call('PUT', `${await open()}?digest=${blob.descriptor.digest}`, { body: blob.bytes })
    expect(again.status).toBe(201)
  })

  test('one POST with all, right and wrong', async () => {
    const blob = sampleBlob('single post')
    const wrong = await call('POST', `/v2/app/blobs/uploads/?digest=${ABSENT}`, { body: blob.bytes })
    expect([wrong.status, await code(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    const right = await call('POST', `/v2/app/blobs/uploads/?digest=${blob.descriptor.digest}`, {
      body: blob.bytes,
    })
    expect([right.status, right.headers.get('docker-content-digest')]).toEqual([201, blob.descriptor.digest])
    expect(await store.hasBlob('app', ABSENT)).toBe(false)
    expect(await readdir(store.stagingDirectory)).toEqual([])
  })

  test('chunks in order, a wrong start told with the right one, the last bytes in PUT', async () => {
    const { bytes, descriptor } = sampleBlob({ seed: 'chunks', size: 2_000_001 })
    const location = await open()
    const patch = (from: number, to: number, range = `${from}-${to - 1}`) =>
      call('PATCH', location, {
        headers: { 'content-range': range, 'content-type': 'application/octet-stream' },
        body: bytes.subarray(from, to),
      })
    const first = await patch(0, 1_500_000)
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-1499999'])
    const gap = await patch(1_600_000, 1_700_000)
    expect([gap.status, gap.headers.get('range'), await code(gap)]).toEqual([
      416,
      '0-1499999',
      'BLOB_UPLOAD_INVALID',
    ])
    const lie = await patch(1_500_000, 1_600_000, '1500000-1500001')
    expect([lie.status, await code(lie)]).toEqual([400, 'SIZE_INVALID'])
    expect((await patch(1_500_000, 1_600_000, 'bytes')).status).toBe(400)
    const status = await call('GET', location)
    expect([status.status, status.headers.get('range'), status.headers.get('location')]).toEqual([
      204,
      '0-1499999',
      location,
    ])
    await patch(1_500_000, 1_900_000)
    const wrong = await call('PUT', `${location}?digest=${ABSENT}`, { body: bytes.subarray(1_900_000) })
    expect([wrong.status, await code(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await call('GET', location)).headers.get('range')).toBe('0-2000000')
    expect((await call('PUT', `${location}?digest=${descriptor.digest}`)).status).toBe(201)
    expect(await store.blobPlace('app', descriptor.digest)).toMatchObject({ size: bytes.length })
    expect(await readdir(store.stagingDirectory)).toEqual([])
  })

  test('a stream without a length', async () => {
    const { bytes, descriptor } = sampleBlob({ seed: 'stream', size: 300_000 })
    const location = await open()
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 70_000) controller.enqueue(bytes.subarray(at, at + 70_000))
        controller.close()
      },
    })
    const patched = await fetch(new URL(location, server.url), {
      method: 'PATCH',
      body,
      duplex: 'half',
    } as RequestInit)
    expect([patched.status, patched.headers.get('range')]).toEqual([202, `0-${bytes.length - 1}`])
    expect((await call('PUT', `${location}?digest=${descriptor.digest}`)).status).toBe(201)
  })

  test('a PUT with a wrong digest leaves the upload to be tried again', async () => {
    const blob = sampleBlob({ seed: 'second try', size: 100_000 })
    const location = await open()
    for (const digest of [ABSENT, 'sha256:x', `sha512:${'0'.repeat(128)}`]) {
      const wrong = await call('PUT', `${location}?digest=${digest}`, { body: blob.bytes })
      expect([wrong.status, await code(wrong)]).toEqual([400, 'DIGEST_INVALID'])
    }
    expect((await call('PUT', location, { body: blob.bytes })).status).toBe(400)
    expect((await call('GET', location)).status).toBe(204)
    expect(
      (await call('PUT', `${location}?digest=${blob.descriptor.digest}`, { body: blob.bytes })).status,
    ).toBe(201)
  })

  test('an upload whose connection breaks goes on where it was', async () => {
    const { bytes, descriptor } = sampleBlob({ seed: 'resumed', size: 1_000_000 })
    const location = await open()
    await breakOff(location, bytes.subarray(0, 400_000), bytes.length)
    await expect.poll(() => served.some((line) => line.method === 'PATCH')).toBe(true)
    const range = (await call('GET', location)).headers.get('range')!
    expect(range).toBe('0-399999')
    const rest = await call('PATCH', location, {
      headers: { 'content-range': '400000-999999' },
      body: bytes.subarray(400_000),
    })
    expect(rest.status).toBe(202)
    expect((await call('PUT', `${location}?digest=${descriptor.digest}`)).status).toBe(201)
  })

  test('a PUT whose connection breaks leaves no blob', async () => {
    const { bytes, descriptor } = sampleBlob({ seed: 'broken off', size: 1_000_000 })
    const location = await open()
    await breakOff(`${location}?digest=${descriptor.digest}`, bytes.subarray(0, 400_000), bytes.length, 'PUT')
    await expect.poll(() => served.some((line) => line.method === 'PUT')).toBe(true)
    expect(await store.hasBlob('app', descriptor.digest)).toBe(false)
    expect((await call('PUT', `${location}?digest=${descriptor.digest}`, { body: bytes })).status).toBe(201)
  })

  test('two requests on one upload at a time: the second is refused', async () => {
    const location = await open()
    const slow = httpRequest(new URL(location, server.url), {
      method: 'PATCH',
      headers: { 'content-length': 10 },
    })
    slow.on('error', () => undefined)
    slow.write('12345')
    await expect.poll(async () => (await call('PATCH', location, { body: 'x' })).status).toBe(409)
    slow.destroy()
  })

  test('an upload is cancelled, expires, and goes with the server', async () => {
    const location = await open()
    await call('PATCH', location, { body: 'abc' })
    expect(await readdir(store.stagingDirectory)).toHaveLength(1)
    expect((await call('DELETE', location)).status).toBe(204)
    expect((await call('GET', location)).status).toBe(404)
    expect(await readdir(store.stagingDirectory)).toEqual([])
    expect((await call('GET', `/v2/app/blobs/uploads/${randomUUID()}`)).status).toBe(404)
    await start({ uploadSeconds: 0.05 })
    const short = await open()
    await call('PATCH', short, { body: 'abc' })
    await expect.poll(async () => (await call('GET', short)).status).toBe(404)
    await call('PATCH', await open(), { body: 'abc' })
    await server.close()
    expect(await readdir(store.stagingDirectory)).toEqual([])
  })

  test('a session is of its repository', async () => {
    const location = await open()
    expect((await call('GET', location.replace('/app/', '/other/'))).status).toBe(404)
  })

  test('a mount of what is there is done, of anything else becomes an upload', async () => {
    const blob = sampleBlob('mounted')
    await store.putBlob('base', blob.descriptor, blob.open)
    const mounted = await call('POST', `/v2/app/blobs/uploads/?mount=${blob.descriptor.digest}&from=base`)
    expect([mounted.status, mounted.headers.get('location')]).toEqual([
      201,
      `/v2/app/blobs/${blob.descriptor.digest}`,
    ])
    for (const query of [`?mount=${ABSENT}&from=base`, `?mount=${ABSENT}`, '?mount=x&from=y'])
      expect(await open(query)).toMatch(/uploads/)
  })

  const putManifest = (reference: string, body: Uint8Array | string, type?: string) =>
    call('PUT', `/v2/app/manifests/${reference}`, {
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    })

  test('a manifest by tag and digest, its bytes kept', async () => {
    const image = sampleImage('manifest', { docker: true })
    for (const blob of image.blobs) await store.putBlob('app', blob.descriptor, blob.open)
    const { digest, mediaType, bytes } = image.manifest
    for (const reference of ['v1', digest]) {
      const response = await putManifest(reference, bytes, mediaType)
      expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, digest])
      expect(response.headers.get('location')).toBe(`/v2/app/manifests/${digest}`)
    }
    expect(await store.manifest('app', 'v1')).toEqual(image.manifest)
  })

  test('what is wrong with a manifest is said', async () => {
    const image = sampleImage('wrong')
    const { digest, mediaType, bytes } = image.manifest
    const refused = async (response: Response) => [response.status, await code(response)]
    expect(await refused(await putManifest('v1', bytes, mediaType))).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
    expect(await refused(await putManifest(ABSENT, bytes, mediaType))).toEqual([400, 'DIGEST_INVALID'])
    expect(await refused(await putManifest(`sha512:${'0'.repeat(128)}`, bytes, mediaType))).toEqual([
      400,
      'DIGEST_INVALID',
    ])
    expect(await refused(await putManifest('v1', 'not json', mediaType))).toEqual([400, 'MANIFEST_INVALID'])
    expect(await refused(await putManifest('v1', '{}', mediaType))).toEqual([400, 'MANIFEST_INVALID'])
    expect(await refused(await putManifest('v1', bytes, 'application/vnd.oci.image.index.v1+json'))).toEqual([
      400,
      'MANIFEST_INVALID',
    ])
    expect(await refused(await putManifest('v1', bytes, 'text/plain'))).toEqual([400, 'MANIFEST_INVALID'])
    expect(await refused(await putManifest('v1', Buffer.alloc(5 * 1024 * 1024, ' '), mediaType))).toEqual([
      413,
      'MANIFEST_INVALID',
    ])
    expect(await store.head('app', digest)).toBeUndefined()
    for (const blob of image.blobs) await store.putBlob('app', blob.descriptor, blob.open)
    expect((await putManifest('v1', bytes)).status).toBe(201)
  })

  test('foreign layers and children of an index may be absent', async () => {
    const image = sampleImage('foreign')
    const value = JSON.parse(image.manifest.bytes.toString()) as { layers: object[] }
    value.layers.push({
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: ABSENT,
      size: 1,
      urls: ['https://example.com/layer'],
    })
    for (const blob of image.blobs) await store.putBlob('app', blob.descriptor, blob.open)
    expect((await putManifest('foreign', JSON.stringify(value), image.manifest.mediaType)).status).toBe(201)
    const index = sampleIndex([sampleImage('not there')])
    expect((await putManifest('sparse', index.manifest.bytes, index.manifest.mediaType)).status).toBe(201)
  })

  test('a manifest with a subject is answered with it', async () => {
    const artifact = sampleArtifact('pushed', sampleImage('subject, not there').descriptor)
    for (const blob of artifact.blobs) await store.putBlob('app', blob.descriptor, blob.open)
    const { digest, mediaType, bytes } = artifact.manifest
    const response = await putManifest(digest, bytes, mediaType)
    const { subject } = JSON.parse(bytes.toString()) as { subject: { digest: string } }
    expect([response.status, response.headers.get('oci-subject')]).toEqual([201, subject.digest])
  })

  test('manifests are deleted by tag and by digest, blobs are not', async () => {
    const image = sampleImage('deleted')
    await pushSample(store, 'app', image, 'v1')
    const { digest } = image.manifest
    expect((await call('DELETE', '/v2/app/manifests/v1')).status).toBe(202)
    expect((await call('HEAD', '/v2/app/manifests/v1')).status).toBe(404)
    expect((await call('HEAD', `/v2/app/manifests/${digest}`)).status).toBe(200)
    const index = sampleIndex([image])
    await pushSample(store, 'app', index, 'multi')
    const contained = await call('DELETE', `/v2/app/manifests/${digest}`)
    expect([contained.status, await code(contained)]).toEqual([405, 'UNSUPPORTED'])
    for (const each of [index.manifest.digest, digest])
      expect((await call('DELETE', `/v2/app/manifests/${each}`)).status).toBe(202)
    const gone = await call('DELETE', `/v2/app/manifests/${digest}`)
    expect([gone.status, await code(gone)]).toEqual([404, 'MANIFEST_UNKNOWN'])
    const blob = await call('DELETE', `/v2/app/blobs/${image.blobs[0]!.descriptor.digest}`)
    expect([blob.status, await code(blob), blob.headers.get('allow')]).toEqual([
      405,
      'UNSUPPORTED',
      'GET, HEAD',
    ])
  })

  test('a read-only server refuses every push and still serves', async () => {
    const image = sampleImage('read only')
    await pushSample(store, 'app', image, 'v1')
    await start({ readOnly: true })
    for (const [method, path] of [
      ['POST', '/v2/app/blobs/uploads/'],
      ['PUT', `/v2/app/blobs/uploads/${randomUUID()}`],
      ['PUT', '/v2/app/manifests/v2'],
      ['DELETE', '/v2/app/manifests/v1'],
    ] as const) {
      const response = await call(method, path, method === 'PUT' ? { body: 'x' } : {})
      expect([response.status, await code(response)]).toEqual([405, 'UNSUPPORTED'])
    }
    expect((await call('GET', '/v2/app/manifests/v1')).status).toBe(200)
  })
})

test('one connection serves many requests, also after a refused body', async () => {
  const blob = sampleBlob({ seed: 'kept alive', size: 2_000_000 })
  const socket = connect(server.port, '127.0.0.1')
  const answers: string[] = []
  socket
    .setEncoding('latin1')
    .on('data', (text: string) => answers.push(...(text.match(/HTTP\/1.1 \d+/g) ?? [])))
  const head = (line: string, length: number) =>
    `${line} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`
  socket.write(head('PUT /v2/app/manifests/v1', 5_000_000))
  socket.write(Buffer.alloc(5_000_000))
  socket.write(head(`POST /v2/app/blobs/uploads/?digest=${ABSENT}`, blob.bytes.length))
  socket.write(blob.bytes)
  socket.write(head(`PUT /v2/app/blobs/${ABSENT}`, blob.bytes.length))
  socket.write(blob.bytes)
  socket.write(head(`POST /v2/app/blobs/uploads/?digest=${blob.descriptor.digest}`, blob.bytes.length))
  socket.write(blob.bytes)
  await expect.poll(() => answers).toEqual(['HTTP/1.1 413', 'HTTP/1.1 400', 'HTTP/1.1 405', 'HTTP/1.1 201'])
  socket.destroy()
})

test('a store that fails is a 500 that tells the operator, not the client', async () => {
  const failing: LayoutStore = { ...store, head: () => Promise.reject(new TypeError('a bug')) }
  const other = await serve(failing, { host: '127.0.0.1', port: 0, onServed: (line) => served.push(line) })
  const response = await fetch(`${other.url}/v2/app/manifests/v1`)
  expect([response.status, await code(response)]).toEqual([500, 'UNKNOWN'])
  expect(served.at(-1)).toMatchObject({ status: 500, error: expect.any(TypeError) })
  await other.close()
})

test('a port that is taken, and an address of another machine, are said', async () => {
  for (const [host, port] of [
    ['127.0.0.1', server.port],
    ['192.0.2.1', 0],
  ] as const)
    await expect(serve(store, { host, port, readOnly: true })).rejects.toMatchObject({
      code: 'NET_UNAVAILABLE',
    })
})

test('what a killed server left is cleared at the next start', async () => {
  await server.close()
  await writeFile(join(store.stagingDirectory, randomUUID()), 'left behind')
  await start()
  expect(await readdir(store.stagingDirectory)).toEqual([])
})

/** Sends a part of a body and cuts the connection. */
async function breakOff(path: string, part: Buffer, length: number, method = 'PATCH'): Promise<void> {
  const request = httpRequest(new URL(path, server.url), { method, headers: { 'content-length': length } })
  request.on('error', () => undefined)
  await new Promise<void>((resolve) => request.write(part, () => resolve()))
  // The kernel has it; the server needs a moment to take it before the end is seen.
  await new Promise((resolve) => setTimeout(resolve, 100))
  request.destroy()
}
