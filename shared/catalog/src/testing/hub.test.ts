import { pushSample, sampleImage, sampleIndex } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { driveWith, type Driver } from './drive.ts'
import { type FakeHub, type HubOptions, startHub } from './hub.ts'

const image = sampleImage('hub')
const list = sampleIndex([image, sampleImage('hub-arm', { architecture: 'arm64' })])

let hub: FakeHub
let driver: Driver

const start = async (options: HubOptions = {}) => {
  hub = await startHub(options)
  driver = await driveWith(hub, hub.user)
}
const stop = async () => {
  await driver[Symbol.asyncDispose]()
  await hub[Symbol.asyncDispose]()
}
const restart = async (options: HubOptions) => {
  await stop()
  await start(options)
}
const push = (repository: string, tag: string, sample = image) =>
  pushSample(driver.registry, repository, sample, tag)
const api = (path: string, token?: string) =>
  fetch(`${hub.url}/v2/${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
const login = (path: string, body: object) =>
  fetch(`${hub.url}/v2/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

interface Page {
  readonly count: number
  readonly next: string | null
  readonly previous: string | null
  readonly results: readonly { readonly name: string }[]
}

beforeEach(() => start())
afterEach(() => stop())

test('the registry works with our client and with skopeo, and has no catalog', async () => {
  await push('someone/app', '1', list)
  const from = `docker://${hub.host}/someone/app:1`
  await driver.skopeo(
    'copy',
    '--all',
    '--preserve-digests',
    from,
    `docker://${hub.host}/someone/repositories:2`,
  )
  expect((await driver.registry.head('someone/repositories', '2'))?.digest).toBe(list.manifest.digest)
  expect(await Array.fromAsync(driver.registry.tags('someone/repositories'))).toEqual(['2'])
  await expect(Array.fromAsync(driver.registry.repositories())).rejects.toMatchObject({ code: 'AUTH_DENIED' })
})

test('manifest GETs are counted, HEADs are not, and over the limit is 429', async () => {
  await restart({ pulls: 2 })
  await push('someone/app', '1')
  const { token } = (await (
    await fetch(`${hub.url}/token?service=registry.docker.io&scope=repository:someone/app:pull`)
  ).json()) as { token: string }
  const ask = (method: string) =>
    fetch(`${hub.url}/v2/someone/app/manifests/1`, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: image.manifest.mediaType },
    })
  expect((await ask('HEAD')).headers.get('ratelimit-remaining')).toBe('2;w=21600')
  expect([(await ask('GET')).status, (await ask('GET')).status]).toEqual([200, 200])
  const over = await ask('GET')
  expect([over.status, over.headers.get('ratelimit-remaining')]).toEqual([429, '0;w=21600'])
  expect((await ask('HEAD')).status).toBe(200)
})

test('the API logs in and then shows what is private', async () => {
  await push('someone/open', '1')
  await push('someone/closed', '1')
  hub.setPrivate('someone/closed')
  const { username, password } = hub.user
  expect((await login('auth/token', { identifier: username, secret: 'no' })).status).toBe(401)
  const { access_token: token } = (await (
    await login('auth/token', { identifier: username, secret: password })
  ).json()) as { access_token: string }
  expect(await (await login('users/login', { username, password })).json()).toHaveProperty('token')
  const seen = async (bearer?: string) =>
    ((await (await api('repositories/someone/', bearer)).json()) as Page).results.map(({ name }) => name)
  expect(await seen()).toEqual(['open'])
  expect(await seen(token)).toEqual(['closed', 'open'])
  expect((await api('repositories/someone/closed/tags/')).status).toBe(404)
  expect((await api('repositories/someone/closed/tags/', token)).status).toBe(200)
  hub.expireTokens()
  expect((await api('repositories/someone/', token)).status).toBe(401)
})

test('the API gives count, next and previous, and nothing behind the last page', async () => {
  for (let index = 0; index < 11; index++) await push('someone/app', `t${index}`)
  const first = (await (await api('repositories/someone/app/tags/')).json()) as Page
  expect(first).toMatchObject({
    count: 11,
    next: `${hub.url}/v2/repositories/someone/app/tags/?page=2&page_size=10`,
    previous: null,
  })
  const second = (await (await fetch(first.next!)).json()) as Page
  expect(second).toMatchObject({ next: null, results: [{}] })
  expect((await api('repositories/someone/app/tags/?page=3')).status).toBe(404)
  const all = (await (await api('repositories/someone/app/tags/?page_size=1000')).json()) as Page
  expect(all.results).toHaveLength(11)
})

test('tags have digests as the registry has, or none', async () => {
  await push('someone/app', 'list', list)
  const read = async () => (await (await api('repositories/someone/app/tags')).json()) as Page
  expect((await read()).results).toMatchObject([
    { digest: list.manifest.digest, images: [{ architecture: 'amd64' }, { architecture: 'arm64' }] },
  ])
  await restart({ hidesDigests: true })
  await push('someone/app', 'one')
  expect((await read()).results[0]).not.toHaveProperty('digest')
})

test('pages can go in circles, lead elsewhere, shift, and be limited', async () => {
  await restart({ endless: true, linkOrigin: 'http://127.0.0.2:1', apiRequests: 2 })
  await push('someone/app', 'a')
  const page = async (number: number) =>
    (await (await api(`repositories/someone/app/tags/?page_size=1&page=${number}`)).json()) as Page
  expect((await page(1)).next).toMatch(/^http:\/\/127\.0\.0\.2:1\//)
  hub.beforePage = () => push('someone/app', 'b')
  expect((await page(2)).results).toMatchObject([{ name: 'a' }])
  const limited = await api('repositories/someone/')
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1'])
  expect((await api('repositories/someone/')).status).toBe(200)
})
