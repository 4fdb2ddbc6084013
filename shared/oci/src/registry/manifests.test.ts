import { expect, test } from 'vitest'
import { type Answer, refusing, sampleImage, scriptedRegistry } from '../testing/index.ts'

const IMAGE = sampleImage('faults')
const OTHER = sampleImage('other')
const DIGEST = 'docker-content-digest'

const manifest = (headers = {}, body = IMAGE.manifest.bytes): Answer => ({
  status: 200,
  headers: { 'content-type': IMAGE.manifest.mediaType, ...headers },
  body,
})

test('all types are asked for, every time', async () => {
  const { store, server } = await scriptedRegistry(() => manifest())
  await store.head('a', 'v1')
  await store.manifest('a', 'v1')
  for (const { headers } of server.requests.slice(1)) expect(headers.accept!.split(', ')).toHaveLength(5)
})

test.each([
  ['without a digest', {}],
  ['with a digest that is none', { [DIGEST]: 'sha256:x' }],
  ['with a type that is none', { [DIGEST]: IMAGE.manifest.digest, 'content-type': 'text/html' }],
])('a HEAD %s is asked again by GET', async (_, headers) => {
  const { store, log } = await scriptedRegistry(({ method }) =>
    method === 'HEAD' ? manifest(headers) : manifest(),
  )
  expect(await store.head('a', 'v1')).toMatchObject(IMAGE.descriptor)
  expect(log()).toEqual(['HEAD /v2/a/manifests/v1', 'GET /v2/a/manifests/v1'])
})

test('a HEAD that is not supported is asked again by GET', async () => {
  const { store } = await scriptedRegistry(({ method }) => (method === 'HEAD' ? { status: 405 } : manifest()))
  expect(await store.head('a', 'v1')).toMatchObject(IMAGE.descriptor)
})

test('lies about a digest are found out', async () => {
  const lies = { [DIGEST]: OTHER.manifest.digest, 'content-length': '100' }
  const { store } = await scriptedRegistry(({ method }) =>
    manifest(method === 'HEAD' ? lies : { [DIGEST]: OTHER.manifest.digest }),
  )
  const mismatch = { code: 'DIGEST_MISMATCH', exit: 82 }
  await expect(store.head('a', IMAGE.manifest.digest)).rejects.toMatchObject(mismatch)
  await expect(store.manifest('a', 'v1')).rejects.toMatchObject(mismatch)
  const honest = await scriptedRegistry(() => manifest())
  await expect(honest.store.manifest('a', OTHER.manifest.digest)).rejects.toMatchObject(mismatch)
})

test('a manifest of more than 4 MiB is not read to its end', async () => {
  const { store } = await scriptedRegistry(() => manifest({}, Buffer.alloc(4 * 1024 * 1024 + 1, ' ')))
  await expect(store.manifest('a', 'v1')).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
})

test('another type inside than outside is refused', async () => {
  const { store } = await scriptedRegistry(() =>
    manifest({ 'content-type': 'application/vnd.docker.distribution.manifest.v2+json' }),
  )
  await expect(store.manifest('a', 'v1')).rejects.toMatchObject({ code: 'REG_AMBIGUOUS_MANIFEST' })
})

test('a registry that stores another digest than it was given is found out', async () => {
  const { store } = await scriptedRegistry(() => ({
    status: 201,
    headers: { [DIGEST]: OTHER.manifest.digest },
  }))
  await expect(store.putManifest('a', 'v1', IMAGE.manifest)).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  })
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
  const { store, log } = await scriptedRegistry(({ method }) =>
    method === 'PUT' ? refusing(status, said) : undefined,
  )
  await expect(store.putManifest('a', reference, IMAGE.manifest)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(`${said}: said so`),
    details: { actual: said },
  })
  expect(log()).toHaveLength(1)
})

test('DIGEST_INVALID for the right bytes passes: another push was writing the same layer’s link', async () => {
  const { store, slept } = await scriptedRegistry(({ method }, count) =>
    method === 'PUT' ? (count < 3 ? refusing(400, 'DIGEST_INVALID') : { status: 201 }) : undefined,
  )
  await store.putManifest('a', IMAGE.manifest.digest, IMAGE.manifest)
  expect(slept).toEqual([500, 1000])
  const wrong = store.putManifest('a', OTHER.manifest.digest, IMAGE.manifest)
  await expect(wrong).rejects.toMatchObject({ code: 'REG_REFUSED', details: { actual: 'DIGEST_INVALID' } })
  expect(slept).toHaveLength(2)
})

test('what a registry says is shown short, on one line and without control characters', async () => {
  const message = `\u001b[31mred\u202e\n${'x'.repeat(1000)}`
  const { store } = await scriptedRegistry(({ method }) =>
    method === 'PUT'
      ? { status: 400, body: JSON.stringify({ errors: [{ code: 'BAD\n', message }] }) }
      : undefined,
  )
  const error = await store.putManifest('a', 'v1', IMAGE.manifest).catch((thrown: Error) => thrown)
  // eslint-disable-next-line no-control-regex -- they are what must not be there
  expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u202e]/)
  expect((error as Error).message.length).toBeLessThan(600)
})

test('names that are none never reach a path', async () => {
  const { store, server } = await scriptedRegistry(() => undefined)
  for (const repository of ['../x', 'a/../b', 'A', 'a b', '', 'a%2fb', 'a?x']) {
    await expect(store.head(repository, 'v1')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
    await expect(
      Array.fromAsync(
        (async function* () {
          yield* store.tags(repository)
        })(),
      ),
    ).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
  }
  for (const reference of [
    '../x',
    'sha256:x',
    '',
    'a/b',
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(128)}`,
  ]) {
    await expect(store.manifest('a', reference)).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
  }
  await expect(store.hasBlob('a', 'latest/../x')).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
  expect(server.requests.filter(({ url }) => url !== '/v2/')).toEqual([])
})
