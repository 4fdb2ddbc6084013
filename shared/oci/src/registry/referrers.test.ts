import { createHttp } from '@carryall/http'
import { type Seen, startServer } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import { INDEX_TYPES } from '../media-types.ts'
import type { Destination } from '../store.ts'
import {
  pushSample,
  type Sample,
  sampleArtifact,
  sampleImage,
  startDockerRegistry,
} from '../testing/index.ts'
import { ANONYMOUS } from './credentials.ts'
import { openRegistry } from './open-registry.ts'
import { fallbackTag } from './referrers.ts'

const IMAGE = sampleImage('referred to')
const [ONE, TWO] = [sampleArtifact('one', IMAGE.descriptor), sampleArtifact('two', IMAGE.descriptor)] as const

function open(host: string): Destination {
  const http = createHttp({ retry: { delayMs: 5 } })
  onTestFinished(() => http.close())
  return openRegistry({ host }, { http, credentials: ANONYMOUS })
}

async function scripted(
  answer: (seen: Seen) => { status: number; headers?: Record<string, string>; body?: string } | undefined,
) {
  const server = await startServer((seen, response) => {
    const { status, headers = {}, body } = answer(seen) ?? { status: seen.url === '/v2/' ? 200 : 404 }
    response.writeHead(status, headers).end(body)
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return {
    store: open(server.host),
    paths: () => server.requests.slice(1).map(({ method, url }) => `${method} ${url}`),
  }
}

const index = (...samples: readonly Sample[]) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX_TYPES[0],
    manifests: samples.map(({ descriptor }) => descriptor),
  })
const digests = (found: readonly { digest: string }[]) => found.map(({ digest }) => digest)
const TAG = fallbackTag(IMAGE.manifest.digest)

test('the tag for referrers is cut as the specification has it', () => {
  expect(fallbackTag(`sha256:${'a'.repeat(64)}`)).toBe(`sha256-${'a'.repeat(64)}`)
  expect(fallbackTag(`${'x'.repeat(40)}:${'b'.repeat(128)}`)).toBe(`${'x'.repeat(32)}-${'b'.repeat(64)}`)
})

test('however many ask at once, one finds out that there is no API', async () => {
  const { store, paths } = await scripted(() => undefined)
  const tags = new Set<string>()
  const ask = () => store.referrers('a', IMAGE.manifest.digest, undefined, tags)
  expect((await Promise.all([ask(), ask(), ask(), ask()])).flat()).toEqual([])
  expect(paths()).toEqual([`GET /v2/a/referrers/${IMAGE.manifest.digest}`])
})

test('the API is read page by page', async () => {
  const { store } = await scripted(({ url }) => {
    if (!url.includes('/referrers/')) return undefined
    return url.includes('page=2')
      ? { status: 200, body: index(TWO) }
      : { status: 200, headers: { link: '<?page=2>; rel="next"' }, body: index(ONE) }
  })
  expect(digests(await store.referrers('a', IMAGE.manifest.digest))).toEqual(
    [ONE, TWO].map(({ manifest }) => manifest.digest),
  )
})

test('a registry that says OCI-Subject keeps its own list', async () => {
  const { store, paths } = await scripted(({ method }) =>
    method === 'PUT' ? { status: 201, headers: { 'oci-subject': IMAGE.manifest.digest } } : undefined,
  )
  await store.putManifest('a', ONE.manifest.digest, ONE.manifest)
  expect(paths()).toEqual([`PUT /v2/a/manifests/${ONE.manifest.digest}`])
})

test('a registry without the API is asked for it once', async () => {
  const { store, paths } = await scripted(() => undefined)
  for (const image of [IMAGE, sampleImage('another')])
    expect(await store.referrers('a', image.manifest.digest)).toEqual([])
  expect(paths().filter((path) => path.includes('/referrers/'))).toHaveLength(1)
})

test('an unknown repository or a lack of rights says nothing about the API', async () => {
  for (const answer of [{ status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }, { status: 403 }]) {
    const { store, paths } = await scripted(({ url }) => (url.includes('/referrers/') ? answer : undefined))
    for (const _ of [1, 2]) expect(await store.referrers('a', IMAGE.manifest.digest)).toEqual([])
    expect(paths().filter((path) => path.includes('/referrers/'))).toHaveLength(2)
  }
})

test('the fallback index grows by each referrer once, written by several at once', async () => {
  await using registry = await startDockerRegistry()
  const store = open(registry.host)
  await pushSample(store, 'a', IMAGE, 'v1')
  const many = Array.from({ length: 8 }, (_, number) => sampleArtifact(`number ${number}`, IMAGE.descriptor))
  await Promise.all([...many, ...many].map((artifact) => pushSample(store, 'a', artifact)))
  const found = await store.referrers('a', IMAGE.manifest.digest)
  expect(digests(found).toSorted()).toEqual(many.map(({ manifest }) => manifest.digest).toSorted())
  const kept = JSON.parse((await store.manifest('a', TAG)).bytes.toString()) as {
    manifests: { annotations: object; artifactType: string }[]
  }
  expect(kept.manifests).toHaveLength(8)
  expect(kept.manifests[0]).toMatchObject({
    artifactType: expect.any(String),
    annotations: { 'org.example.seed': expect.any(String) },
  })
})

test('what others wrote into the fallback index stays as it is', async () => {
  await using registry = await startDockerRegistry()
  const store = open(registry.host)
  await pushSample(store, 'a', IMAGE, 'v1')
  await pushSample(store, 'a', ONE)
  const path = `${registry.url}/v2/a/manifests/${TAG}`
  const document = JSON.parse((await store.manifest('a', TAG)).bytes.toString()) as { manifests: object[] }
  const foreign = { ...document, 'x-note': 1, manifests: [{ ...document.manifests[0], data: 'eA==' }] }
  await fetch(path, {
    method: 'PUT',
    headers: { 'content-type': INDEX_TYPES[0] },
    body: JSON.stringify(foreign),
  })
  await pushSample(store, 'a', TWO)
  const kept = JSON.parse((await store.manifest('a', TAG)).bytes.toString()) as typeof foreign
  expect(kept).toMatchObject({ 'x-note': 1, manifests: [{ data: 'eA==' }, TWO.descriptor] })
})

test('a tag that is taken by something else is not overwritten', async () => {
  await using registry = await startDockerRegistry()
  const store = open(registry.host)
  await pushSample(store, 'a', IMAGE, 'v1')
  const taken = sampleImage('taken')
  await pushSample(store, 'a', taken, TAG)
  await expect(pushSample(store, 'a', ONE)).rejects.toMatchObject({ code: 'TAG_CONFLICT', exit: 84 })
  expect((await store.manifest('a', TAG)).digest).toBe(taken.manifest.digest)
  expect(await store.referrers('a', IMAGE.manifest.digest)).toEqual([])
})
