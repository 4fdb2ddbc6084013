import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { makeCertificates } from '@carryall/http/testing'
import { ANONYMOUS, openRegistry, parseManifest } from '@carryall/oci'
import { pushSample, sampleArtifact, sampleBlob, sampleImage, sampleIndex } from '@carryall/oci/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { driveWith, type Driver } from './drive.ts'
import { type FakeQuay, type QuayOptions, startQuay } from './quay.ts'

const image = sampleImage('quay')
const other = sampleImage('other')
const list = sampleIndex([image, sampleImage('quay-arm', { architecture: 'arm64' })])

let quay: FakeQuay
let driver: Driver

const start = async (options: QuayOptions = {}) => {
  quay = await startQuay(options)
  driver = await driveWith(quay, quay.robot)
}
const push = (repository: string, tag?: string, sample = image) =>
  pushSample(driver.registry, repository, sample, tag)
const api = (path: string, authorization = `Bearer ${quay.apiToken}`) =>
  fetch(`${quay.url}/api/v1/${path}`, authorization === '' ? {} : { headers: { authorization } })
const read = async <T>(path: string) => (await (await api(path)).json()) as T
const basic = () => `Basic ${btoa(`${quay.robot.username}:${quay.robot.password}`)}`
const token = async (scope: string) => {
  const answer = await fetch(`${quay.url}/v2/auth?scope=${scope}`, { headers: { authorization: basic() } })
  return ((await answer.json()) as { token: string }).token
}
const v2 = async (repository: string, rest: string, init: RequestInit = {}) => {
  const authorization = `Bearer ${await token(`repository:${repository}:pull,push`)}`
  return fetch(`${quay.url}/v2/${repository}/${rest}`, {
    ...init,
    headers: { authorization, ...(init.headers as Record<string, string>) },
  })
}
const codeOf = async (answer: Response) =>
  ((await answer.json()) as { errors: readonly { code: string }[] }).errors[0]!.code

interface Tags {
  readonly tags: readonly {
    readonly name: string
    readonly manifest_digest: string
    readonly end_ts?: number
  }[]
  readonly has_additional: boolean
}
const namesOf = ({ tags }: Tags) => tags.map(({ name }) => name)

beforeEach(() => start())

afterEach(async () => {
  await driver[Symbol.asyncDispose]()
  await quay[Symbol.asyncDispose]()
})

const restart = async (options: QuayOptions) => {
  await driver[Symbol.asyncDispose]()
  await quay[Symbol.asyncDispose]()
  await start(options)
}

describe('the registry', () => {
  test('takes images of our client and gives them to skopeo, which brings them back with the same digest', async () => {
    await push('team/deep/app', '1.0', list)
    const from = `docker://${quay.host}/team/deep/app:1.0`
    await driver.skopeo('copy', '--all', '--preserve-digests', from, `docker://${quay.host}/new/one:2`)
    const back = await driver.registry.manifest('new/one', '2')
    expect(back.bytes).toEqual(list.manifest.bytes)
    expect((await driver.registry.head('team/deep/app', '1.0'))?.digest).toBe(list.manifest.digest)
    expect(JSON.parse(await driver.skopeo('list-tags', `docker://${quay.host}/new/one`))).toMatchObject({
      Tags: ['2'],
    })
    expect(quay.requests.every(({ status }) => status !== 0)).toBe(true)
  })

  test('gives tokens that say nothing but the token', async () => {
    const url = `${quay.url}/v2/auth?service=x&scope=repository:team/app:pull`
    const answer = await fetch(url, { headers: { authorization: basic() } })
    expect(Object.keys((await answer.json()) as object)).toEqual(['token'])
  })

  test.each([
    'registry:catalog:*',
    'repository:team/app:delete',
    'repository:a/b:pull%20repository:c/d:pull',
  ])('refuses the scope %s', async (scope) => {
    const answer = await fetch(`${quay.url}/v2/auth?scope=${scope}`, { headers: { authorization: basic() } })
    expect(answer.status).toBe(400)
    expect(await codeOf(answer)).toBe('INVALID_REQUEST')
  })

  test('makes a repository when a token to push to it is given', async () => {
    await token('repository:team/fresh:pull,push')
    expect(await read('repository?namespace=team')).toMatchObject({ repositories: [{ name: 'fresh' }] })
  })

  test('says 401 again when its tokens have expired, and our client asks for another', async () => {
    await push('team/app', '1')
    await driver.registry.head('team/app', '1')
    quay.expireTokens()
    const before = quay.requests.length
    expect(await driver.registry.head('team/app', '1')).toBeDefined()
    const asked = quay.requests.slice(before).map(({ status, path }) => `${status} ${path.split('?')[0]}`)
    expect(asked).toContain('401 /v2/team/app/manifests/1')
    expect(asked.at(-1)).toBe('200 /v2/team/app/manifests/1')
  })

  test.each([false, true])('pages tags and repositories; by last: %s', async (pagesByLast) => {
    await restart({ pageSize: 2, pagesByLast })
    for (const name of ['a', 'b', 'c']) await push(`team/${name}`, '1')
    for (const tag of ['2', '3', '4', '5']) await push('team/a', tag)
    expect(await Array.fromAsync(driver.registry.tags('team/a'))).toEqual(['1', '2', '3', '4', '5'])
    expect(await Array.fromAsync(driver.registry.repositories())).toEqual(['team/a', 'team/b', 'team/c'])
    const first = await v2('team/a', 'tags/list?n=1000')
    expect(first.headers.get('link')).toMatch(pagesByLast ? /[?&]last=2>/ : /[?&]next_page=gAAAA/)
  })

  test('has an empty catalog for those who are not logged in', async () => {
    await push('team/app', '1')
    expect(await (await fetch(`${quay.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
  })

  test('makes schema 1 of what the client does not name in Accept, by tag only', async () => {
    await push('team/app', '1', list)
    const converted = await v2('team/app', 'manifests/1', { headers: { accept: 'application/json' } })
    expect(converted.headers.get('content-type')).toContain('v1+prettyjws')
    expect(converted.headers.get('docker-content-digest')).not.toBe(list.manifest.digest)
    expect(await converted.json()).toMatchObject({ schemaVersion: 1, tag: '1', architecture: 'amd64' })
    const byDigest = await v2('team/app', `manifests/${list.manifest.digest}`)
    expect(Buffer.from(await byDigest.arrayBuffer())).toEqual(list.manifest.bytes)
  })

  test('has the referrers API and says so when an artifact comes', async () => {
    await push('team/app', '1')
    const artifact = sampleArtifact('signature', image.descriptor)
    await push('team/app', undefined, artifact)
    expect(await driver.registry.referrers('team/app', image.manifest.digest)).toMatchObject([
      { digest: artifact.manifest.digest, artifactType: 'application/vnd.example.signature' },
    ])
    // No fallback tag was written.
    expect(await Array.fromAsync(driver.registry.tags('team/app'))).toEqual(['1'])
  })

  test('sends blobs from another origin', async () => {
    await restart({ blobOrigin: 'http://127.0.0.1:1' })
    await push('team/app', '1')
    const { digest } = image.blobs[0]!.descriptor
    const answer = await v2('team/app', `blobs/${digest}`, { redirect: 'manual' })
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:1\//)
  })
})

describe('uploads', () => {
  const blob = sampleBlob({ seed: 'upload', size: 1000 })
  const open = async () => {
    const answer = await v2('team/app', 'blobs/uploads/', { method: 'POST' })
    return {
      range: answer.headers.get('range'),
      rest: new URL(answer.headers.get('location')!).pathname.slice('/v2/team/app/'.length),
    }
  }
  const chunk = (rest: string, start: number, end: number) =>
    v2('team/app', rest, {
      method: 'PATCH',
      body: blob.bytes.subarray(start, end),
      headers: { 'content-range': `${start}-${end - 1}` },
    })

  test('tell ranges in three ways, and where they are in one', async () => {
    const { range, rest } = await open()
    expect(range).toBe('bytes=0--1')
    expect(rest).not.toContain('?')
    const patched = await chunk(rest, 0, 400)
    expect([patched.status, patched.headers.get('range')]).toEqual([202, '0-399'])
    const status = await v2('team/app', rest)
    expect([status.status, status.headers.get('range'), status.headers.get('location')]).toEqual([
      204,
      'bytes=0-400',
      null,
    ])
    const gap = await chunk(rest, 500, 1000)
    expect([gap.status, gap.headers.get('range')]).toEqual([416, '0-400'])
    // What overlaps is passed over.
    expect((await chunk(rest, 300, 1000)).headers.get('range')).toBe('0-999')
    const closed = await v2('team/app', `${rest}?digest=${blob.descriptor.digest}`, { method: 'PUT' })
    expect(closed.status).toBe(201)
    expect(await driver.registry.hasBlob('team/app', blob.descriptor.digest)).toBe(true)
  })

  test('take a range without a unit only', async () => {
    const { rest } = await open()
    const init = { method: 'PATCH', body: 'x', headers: { 'content-range': 'bytes 0-0/1' } }
    expect(await codeOf(await v2('team/app', rest, init))).toBe('INVALID_REQUEST')
  })

  test('are done with one POST, or cancelled', async () => {
    const rest = `blobs/uploads/?digest=${blob.descriptor.digest}`
    expect((await v2('team/app', rest, { method: 'POST', body: blob.bytes })).status).toBe(201)
    const { rest: second } = await open()
    expect((await v2('team/app', second, { method: 'DELETE' })).status).toBe(204)
    expect(await codeOf(await chunk(second, 0, 10))).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('are spared by a mount where the token allows a pull from there', async () => {
    await push('team/from', '1')
    const { digest } = image.blobs[1]!.descriptor
    const mount = `blobs/uploads/?mount=${digest}&from=team/from`
    expect((await v2('team/to', mount, { method: 'POST' })).status).toBe(202)
    const blobOf = image.blobs[1]!
    expect(
      await driver.registry.putBlob('team/to', blobOf.descriptor, blobOf.open, { mountFrom: 'team/from' }),
    ).toBe('mounted')
  })

  test('end with 403 DENIED when the quota is used up', async () => {
    await push('team/app', '1')
    quay.setQuota('team', 1)
    const blobOf = other.blobs[1]!
    await expect(driver.registry.putBlob('team/app', blobOf.descriptor, blobOf.open)).rejects.toMatchObject({
      details: { actual: 'DENIED' },
    })
    expect(quay.requests.at(-1)).toMatchObject({ method: 'POST', status: 403 })
    quay.setQuota('team', undefined)
    await driver.registry.putBlob('team/app', blobOf.descriptor, blobOf.open)
  })
})

test('what no tag holds is gone after an hour', async () => {
  await push('team/app', '1', list)
  await push('team/app', undefined, other)
  const artifact = sampleArtifact('kept', list.descriptor)
  await push('team/app', undefined, artifact)
  const { digest } = other.blobs[0]!.descriptor
  expect(await driver.registry.hasBlob('team/app', digest)).toBe(true)
  quay.passGrace()
  expect(await driver.registry.hasBlob('team/app', digest)).toBe(false)
  expect(await driver.registry.head('team/app', other.manifest.digest)).toBeUndefined()
  for (const kept of [list, artifact, ...list.children])
    expect(await driver.registry.head('team/app', kept.manifest.digest)).toBeDefined()
})

test('all of it works by https, too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quay-'))
  const { cert, key } = await makeCertificates(directory)
  await restart({ tls: { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') } })
  await rm(directory, { recursive: true })
  const http = createHttp()
  const store = openRegistry({ host: quay.store.host }, { http, credentials: ANONYMOUS })
  await pushSample(store, 'team/app', image, '1')
  await http.close()
  await driver.skopeo('copy', `docker://${quay.host}/team/app:1`, `docker://${quay.host}/team/copied:1`)
  expect(quay.files.tags('team/copied')).toMatchObject([{ name: '1', digest: image.manifest.digest }])
  expect(quay.requests.length).toBeGreaterThan(5)
})

describe('what is refused', () => {
  test('an immutable tag, even with its own digest, and its deletion', async () => {
    await push('team/app', 'v1')
    await push('team/app', 'latest')
    quay.setImmutable('team/app', 'v*')
    for (const sample of [other, image])
      await expect(push('team/app', 'v1', sample)).rejects.toMatchObject({ code: 'TAG_CONFLICT' })
    expect(quay.requests.at(-1)).toMatchObject({ method: 'PUT', status: 409 })
    await push('team/app', 'latest', other)
    const answer = await v2('team/app', 'manifests/v1', { method: 'DELETE' })
    expect([answer.status, await codeOf(answer)]).toEqual([409, 'TAG_IMMUTABLE'])
  })

  test.each(['READ_ONLY', 'MIRROR', 'ORG_MIRROR'] as const)(
    'a push to a repository in state %s',
    async (state) => {
      await push('team/app', '1')
      quay.setState('team/app', state)
      const answer = await v2('team/app', 'blobs/uploads/', { method: 'POST' })
      expect([answer.status, await codeOf(answer)]).toEqual([405, 'DENIED'])
      expect(await driver.registry.head('team/app', '1')).toBeDefined()
      expect(await read('repository?namespace=team')).toMatchObject({ repositories: [{ state }] })
    },
  )

  test('everything about a repository that is about to be deleted, which is still listed', async () => {
    await push('team/app', '1')
    quay.setState('team/app', 'MARKED_FOR_DELETION')
    expect((await v2('team/app', 'manifests/1')).status).toBe(404)
    expect(await read('repository?namespace=team')).toMatchObject({
      repositories: [{ state: 'MARKED_FOR_DELETION' }],
    })
  })

  test('the same by a token without the right', async () => {
    await restart({ refusesState: 'token' })
    await push('team/app', '1')
    quay.setState('team/app', 'READ_ONLY')
    const answer = await v2('team/app', 'blobs/uploads/', { method: 'POST' })
    expect([answer.status, await codeOf(answer)]).toEqual([401, 'UNAUTHORIZED'])
  })

  test('every write while the registry is read-only', async () => {
    quay.setReadOnly(true)
    const answer = await v2('team/app', 'blobs/uploads/', { method: 'POST' })
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'DENIED', is_readonly: true }] })
    expect(answer.status).toBe(405)
  })

  test('the deletion of a blob; that of a digest takes all its tags, and what was is TAG_EXPIRED', async () => {
    await push('team/app', '1')
    await push('team/app', '2')
    await push('team/app', '3', other)
    expect(
      (await v2('team/app', `blobs/${image.blobs[0]!.descriptor.digest}`, { method: 'DELETE' })).status,
    ).toBe(405)
    expect((await v2('team/app', `manifests/${image.manifest.digest}`, { method: 'DELETE' })).status).toBe(
      202,
    )
    expect(await Array.fromAsync(driver.registry.tags('team/app'))).toEqual(['3'])
    expect(await codeOf(await v2('team/app', 'manifests/1'))).toBe('TAG_EXPIRED')
    expect(await codeOf(await v2('team/app', 'manifests/never'))).toBe('MANIFEST_UNKNOWN')
    expect((await v2('team/app', 'manifests/3', { method: 'DELETE' })).status).toBe(202)
    expect(namesOf(await read<Tags>('repository/team/app/tag/'))).toHaveLength(3)
  })
})

describe('API v1', () => {
  test('takes the OAuth token, not the account of the registry', async () => {
    expect((await api('repository?namespace=team')).status).toBe(200)
    expect((await api('repository?namespace=team', basic())).status).toBe(401)
    expect((await api('repository?namespace=team', 'Bearer other')).status).toBe(401)
  })

  test('wants to know which repositories', async () => {
    expect((await api('repository')).status).toBe(400)
    await push('team/open', '1')
    await push('team/closed', '1')
    quay.setPublic('team/open', true)
    quay.setDescription('team/open', 'For all')
    const listed = async (query: string, authorization?: string) =>
      (
        (await (await api(`repository?${query}`, authorization)).json()) as {
          repositories: { name: string }[]
        }
      ).repositories.map(({ name }) => name)
    expect(await listed('namespace=team')).toEqual(['closed', 'open'])
    expect(await listed('public=true')).toEqual(['open'])
    expect(await listed('namespace=team', '')).toEqual(['open'])
    expect(await listed('namespace=nobody')).toEqual([])
    expect(await read('repository?public=true')).toMatchObject({
      repositories: [{ is_public: true, description: 'For all' }],
    })
  })

  test('gives repositories in pages of 100, by an opaque token, and their last change', async () => {
    await push('team/a', '1')
    for (let index = 0; index < 100; index++) await token(`repository:team/b/${index}:push`)
    const first = await read<{ repositories: object[]; next_page: string }>(
      'repository?namespace=team&last_modified=true',
    )
    expect(first.repositories).toHaveLength(100)
    expect(first.repositories[0]).toMatchObject({
      namespace: 'team',
      name: 'a',
      last_modified: expect.any(Number),
    })
    expect(first.repositories[1]).toMatchObject({ name: 'b/0', last_modified: null })
    const second = await read(`repository?namespace=team&next_page=${first.next_page}`)
    expect(second).toEqual({ repositories: [expect.objectContaining({ name: 'b/99' })] })
  })

  test('gives tags with the digests that the registry gives', async () => {
    await push('team/deep/app', 'one')
    await push('team/deep/app', 'list', list)
    const { tags } = await read<Tags>('repository/team/deep/app/tag/?onlyActiveTags=true')
    for (const { name, manifest_digest } of tags)
      expect((await driver.registry.head('team/deep/app', name))?.digest).toBe(manifest_digest)
    expect(tags.find(({ name }) => name === 'list')).toMatchObject({
      is_manifest_list: true,
      size: null,
      child_manifest_count: 2,
      is_sparse: false,
    })
    const size = parseManifest(image.manifest.bytes, image.manifest.mediaType).layers?.reduce(
      (sum, layer) => sum + layer.size,
      0,
    )
    expect(tags.find(({ name }) => name === 'one')).toMatchObject({
      is_manifest_list: false,
      size,
      last_modified: expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} [\d:]{8} -0000$/),
    })
  })

  test('gives history unless it is declined', async () => {
    await push('team/app', 'latest')
    await push('team/app', 'gone')
    await push('team/app', 'latest', other)
    quay.deleteTag('team/app', 'gone')
    const all = await read<Tags>('repository/team/app/tag/')
    expect(
      all.tags
        .filter(({ end_ts }) => end_ts !== undefined)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['gone', 'latest'])
    const active = await read<Tags>('repository/team/app/tag/?onlyActiveTags=true')
    expect(active.tags).toMatchObject([{ name: 'latest', manifest_digest: other.manifest.digest }])
  })

  test('hides a tag that has expired and tells when others will', async () => {
    for (const tag of ['old', 'new']) await push('team/app', tag)
    quay.setExpiration('team/app', 'old', new Date(Date.now() - 1000))
    quay.setExpiration('team/app', 'new', new Date(Date.now() + 60_000))
    const active = await read<Tags>('repository/team/app/tag/?onlyActiveTags=true')
    expect(active.tags).toMatchObject([{ name: 'new', expiration: expect.any(String) }])
    expect(await codeOf(await v2('team/app', 'manifests/old'))).toBe('TAG_EXPIRED')
  })

  test('lets labels of an image act when it is pushed', async () => {
    const config = sampleBlob(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Labels: { 'quay.expires-after': '2d', 'quay.immutable': 'true' } },
        rootfs: { type: 'layers', diff_ids: [] },
      }),
      'application/vnd.oci.image.config.v1+json',
    )
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: config.descriptor,
        layers: [],
      }),
    )
    const manifest = {
      ...sampleBlob(bytes).descriptor,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      bytes,
    }
    await driver.registry.putBlob('team/app', config.descriptor, config.open)
    await driver.registry.putManifest('team/app', 'short', manifest)
    const { tags } = await read<Tags>('repository/team/app/tag/')
    expect(tags).toMatchObject([{ name: 'short', immutable: true }])
    expect(tags[0]!.end_ts! - Date.now() / 1000).toBeGreaterThan(86_400)
  })

  test('filters by name, and cuts a limit down', async () => {
    for (const tag of ['v1', 'v2', 'w1']) await push('team/app', tag)
    expect(namesOf(await read('repository/team/app/tag/?filter_tag_name=like:v')).toSorted()).toEqual([
      'v1',
      'v2',
    ])
    expect(namesOf(await read('repository/team/app/tag/?filter_tag_name=eq:w1'))).toEqual(['w1'])
    expect(namesOf(await read('repository/team/app/tag/?specificTag=v2'))).toEqual(['v2'])
    expect((await api('repository/team/app/tag/?filter_tag_name=v')).status).toBe(400)
    for (let index = 0; index < 100; index++) quay.files.tag('team/app', `x${index}`, image.manifest.digest)
    const page = await read<Tags>('repository/team/app/tag/?limit=1000')
    expect([page.tags.length, page.has_additional]).toEqual([100, true])
  })

  test('shifts its pages when a tag is pushed between two of them', async () => {
    for (const [index, tag] of ['a', 'b', 'c', 'd'].entries()) {
      await push('team/app', tag)
      quay.files.tag('team/app', tag, image.manifest.digest, new Date(Date.now() - 1000 * index))
    }
    quay.beforePage = () => push('team/app', 'pushed', other)
    const page = (number: number) =>
      read<Tags>(`repository/team/app/tag/?onlyActiveTags=true&limit=2&page=${number}`)
    expect(namesOf(await page(1))).toEqual(['a', 'b'])
    expect(namesOf(await page(2))).toEqual(['b', 'c'])
  })

  test('can be made to go in circles', async () => {
    await restart({ endless: true })
    await push('team/app', '1')
    const tags = await read<Tags>('repository/team/app/tag/?page=7')
    expect([namesOf(tags), tags.has_additional]).toEqual([['1'], true])
    const { next_page: next } = await read<{ next_page: string }>('repository?namespace=team')
    expect(await read(`repository?namespace=team&next_page=${next}`)).toMatchObject({
      next_page: next,
      repositories: [{ name: 'app' }],
    })
  })

  test('knows no repository that is not there', async () => {
    expect((await api('repository/team/none/tag/')).status).toBe(404)
  })
})
