import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { makeCertificates } from '@carryall/http/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type Answer,
  type DockerRegistry,
  pushSample,
  refusing,
  sampleImage,
  scriptedRegistry,
  startDockerRegistry,
  startTokenServer,
} from '../testing/index.ts'
import { ANONYMOUS } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

const IMAGE = sampleImage('deleted')
const { digest } = IMAGE.manifest

function open({ host }: DockerRegistry) {
  const http = createHttp({ retry: { sleep: async () => {} } })
  onTestFinished(() => http.close())
  return openRegistry({ host }, { http, credentials: ANONYMOUS })
}

test('docker-registry removes manifests: all tags of a digest go, or none', async () => {
  await using registry = await startDockerRegistry()
  const store = open(registry)
  for (const tag of ['one', 'other']) await pushSample(store, 'app', IMAGE, tag)
  await expect(store.deleteTag('app', 'one', digest)).rejects.toMatchObject({
    code: 'REG_REFUSED',
    details: { actual: 'DIGEST_INVALID', subject: { kind: 'tag' }, hint: expect.any(String) },
  })
  expect(await Array.fromAsync(store.tags('app'))).toEqual(['one', 'other'])
  expect(await store.deleteTag('app', 'one', digest, { manifestMayGo: true })).toBe('deleted')
  expect(await store.deleteTag('app', 'other', digest, { manifestMayGo: true })).toBe('absent')
})

test.each([true, false])(
  'where deletion is switched off it is refused, and nothing happens (%s)',
  async (manifestMayGo) => {
    await using registry = await startDockerRegistry({ delete: false })
    const store = open(registry)
    await pushSample(store, 'app', IMAGE, 'v1')
    await expect(store.deleteTag('app', 'v1', digest, { manifestMayGo })).rejects.toMatchObject({
      code: 'REG_REFUSED',
      details: { actual: 'UNSUPPORTED' },
    })
    expect(await store.head('app', 'v1')).toMatchObject(IMAGE.descriptor)
  },
)

test('a read-only registry is asked once', async () => {
  const first = await startDockerRegistry()
  onTestFinished(() => first.stop())
  await pushSample(open(first), 'app', IMAGE, 'v1')
  await using registry = await startDockerRegistry({ readOnly: true, storage: first.storage })
  await expect(open(registry).deleteTag('app', 'v1', digest, { manifestMayGo: true })).rejects.toMatchObject({
    code: expect.stringMatching(/^REG_(?:REFUSED|READ_ONLY)$/),
    details: { actual: 405 },
  })
  const deletions = () => registry.requests().filter(({ method }) => method === 'DELETE')
  await expect.poll(() => deletions().map(({ path }) => path)).toEqual(['/v2/app/manifests/v1'])
})

test('the right to delete is asked for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'delete-tag-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const rights = new Set(['pull', 'push'])
  await using tokens = await startTokenServer({
    certificates: await makeCertificates(directory),
    grant: (_account, _repository, action) => rights.has(action),
  })
  await using registry = await startDockerRegistry({ token: tokens })
  const store = open(registry)
  await pushSample(store, 'app', IMAGE, 'v1')
  const remove = () => store.deleteTag('app', 'v1', digest, { manifestMayGo: true })
  await expect(remove()).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
  rights.add('delete')
  expect(await remove()).toBe('deleted')
})

describe('a registry that', () => {
  const head: Answer = {
    status: 200,
    headers: {
      'content-type': IMAGE.manifest.mediaType,
      'docker-content-digest': digest,
      'content-length': String(IMAGE.manifest.bytes.length),
    },
  }
  const answering = async (byTag: Answer, byDigest: Answer = { status: 500 }) => {
    let isThere = true
    const { store, log } = await scriptedRegistry(
      ({ method, url }) => {
        if (url === '/v2/') return undefined
        if (method === 'HEAD') return isThere ? head : { status: 404 }
        const answer = url.endsWith(digest) ? byDigest : byTag
        if (answer.status === 202) isThere = false
        return answer
      },
      { retry: { times: 0 } },
    )
    return { store, log, gone: () => !isThere }
  }

  test('deletes tags is asked once for the tag and once for its deletion', async () => {
    const { store, log } = await answering({ status: 202 })
    expect(await store.deleteTag('app', 'v1', digest, { manifestMayGo: true })).toBe('deleted')
    expect(log()).toEqual(['HEAD /v2/app/manifests/v1', 'DELETE /v2/app/manifests/v1'])
  })

  test.each<[number, Answer]>([
    [400, refusing(400, 'DIGEST_INVALID')],
    [404, refusing(404, 'MANIFEST_UNKNOWN')],
    [405, refusing(405, 'UNSUPPORTED')],
    [405, { status: 405, headers: { allow: 'GET, PUT, HEAD, OPTIONS' }, body: '<html></html>' }],
    [501, { status: 501 }],
  ])('answers %i to a tag is asked for the manifest if that may go', async (_status, byTag) => {
    const { store, gone } = await answering(byTag, { status: 202 })
    await expect(store.deleteTag('app', 'v1', digest)).rejects.toMatchObject({ code: 'REG_REFUSED' })
    expect(gone()).toBe(false)
    expect(await store.deleteTag('app', 'v1', digest, { manifestMayGo: true })).toBe('deleted')
    expect(gone()).toBe(true)
  })

  test.each<[string, Answer]>([
    ['TAG_CONFLICT', refusing(409, 'TAG_IMMUTABLE')],
    ['TAG_CONFLICT', refusing(412, 'PRECONDITION')],
    ['AUTH_DENIED', refusing(403, 'DENIED')],
  ])('answers %s is not asked again', async (code, byTag) => {
    const { store, log } = await answering(byTag, { status: 202 })
    await expect(store.deleteTag('app', 'v1', digest, { manifestMayGo: true })).rejects.toMatchObject({
      code,
    })
    expect(log()).toHaveLength(2)
  })
})

test('a tag that went in between is absent', async () => {
  let asked = 0
  const { store } = await scriptedRegistry(({ method }) => {
    if (method !== 'HEAD') return undefined
    asked += 1
    return asked > 1
      ? undefined
      : {
          status: 200,
          headers: {
            'content-type': IMAGE.manifest.mediaType,
            'docker-content-digest': digest,
            'content-length': '5',
          },
        }
  })
  expect(await store.deleteTag('app', 'v1', digest, { manifestMayGo: true })).toBe('absent')
})
