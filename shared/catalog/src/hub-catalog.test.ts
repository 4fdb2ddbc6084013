import { pushSample, sampleImage } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogAt } from './testing/catalog-at.ts'
import { driveWith, type Driver } from './testing/drive.ts'
import { type FakeHub, type HubOptions, startHub } from './testing/index.ts'

const image = sampleImage('hub')
const { digest, mediaType } = image.manifest

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
const open = async (namespace: string, options: { login?: FakeHub['user']; retries?: number } = {}) =>
  (await catalogAt(hub.host, namespace, 'hub', options)).catalog
const push = (repository: string, tag: string) => pushSample(driver.registry, repository, image, tag)

beforeEach(() => start())
afterEach(() => stop())

test('repositories of a namespace, tags with digest, type, size and time', async () => {
  await push('someone/app', '1')
  await push('someone/web', '1')
  const catalog = await open('someone')
  expect(await Array.fromAsync(catalog.repositories())).toEqual([
    { name: 'someone/app' },
    { name: 'someone/web' },
  ])
  expect(await Array.fromAsync(catalog.images('someone/app'))).toEqual([
    {
      registry: hub.host,
      repository: 'someone/app',
      tag: '1',
      digest,
      media_type: mediaType,
      size_bytes: expect.any(Number),
      created: expect.stringMatching(/^2.*Z$/),
    },
  ])
})

test('what has no namespace is in library', async () => {
  await push('library/app', '1')
  expect(await Array.fromAsync((await open('library')).images('app'))).toMatchObject([
    { repository: 'app', tag: '1' },
  ])
})

test('a login shows what is private, and is renewed when its token has ended', async () => {
  await push('someone/closed', '1')
  hub.setPrivate('someone/closed')
  expect(await Array.fromAsync((await open('someone')).repositories())).toEqual([])
  const catalog = await open('someone', { login: hub.user })
  expect(await Array.fromAsync(catalog.repositories())).toEqual([{ name: 'someone/closed' }])
  hub.expireTokens()
  expect(await Array.fromAsync(catalog.images('someone/closed'))).toMatchObject([{ tag: '1', digest }])
  const stranger = await open('someone', { login: { username: 'someone', password: 'wrong' } })
  await expect(Array.fromAsync(stranger.repositories())).rejects.toMatchObject({ code: 'AUTH_DENIED' })
})

test('all pages, waiting where it is asked to', async () => {
  await restart({ apiRequests: 2, hidesDigests: true })
  await push('someone/app', 't0')
  for (let index = 1; index < 150; index += 1) hub.files.tag('someone/app', `t${index}`, digest)
  const tags = await Array.fromAsync((await open('someone', { retries: 1 })).images('someone/app'))
  expect(new Set(tags.map(({ tag }) => tag)).size).toBe(150)
  expect(tags[0]?.digest).toBeUndefined()
  expect(hub.requests.filter(({ status }) => status === 429).length).toBe(1)
})

test('a next page elsewhere is not asked for; pages without an end: API_PROTOCOL', async () => {
  await restart({ linkOrigin: 'http://127.0.0.2:1', endless: true })
  await push('someone/app', '1')
  await expect(Array.fromAsync((await open('someone')).images('someone/app'))).rejects.toMatchObject({
    code: 'NET_ORIGIN_REFUSED',
  })
  await restart({ endless: true })
  await push('someone/app', '1')
  await expect(Array.fromAsync((await open('someone')).images('someone/app'))).rejects.toMatchObject({
    code: 'API_PROTOCOL',
  })
})

test('it does not list all that it has', async () => {
  await expect(Array.fromAsync((await open('')).repositories())).rejects.toMatchObject({
    code: 'API_UNSUPPORTED',
  })
})
