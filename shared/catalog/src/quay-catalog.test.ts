import { pushSample, sampleImage, sampleIndex } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogAt } from './testing/catalog-at.ts'
import { driveWith, type Driver } from './testing/drive.ts'
import { type FakeQuay, type QuayOptions, startQuay } from './testing/index.ts'

const image = sampleImage('quay')
const { digest } = image.manifest
const list = sampleIndex([image])
const at = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, index))

let quay: FakeQuay
let driver: Driver

const start = async (options: QuayOptions = {}) => {
  quay = await startQuay(options)
  driver = await driveWith(quay, quay.robot)
}
const stop = async () => {
  await driver[Symbol.asyncDispose]()
  await quay[Symbol.asyncDispose]()
}
const restart = async (options: QuayOptions) => {
  await stop()
  await start(options)
}
const open = async (
  namespace: string,
  api: 'auto' | 'quay' = 'quay',
  apiToken: string | undefined = quay.apiToken,
) => (await catalogAt(quay.host, namespace, api, { login: quay.robot, apiToken })).catalog
const push = (repository: string, tag: string) => pushSample(driver.registry, repository, image, tag)
const manyTags = async (repository: string, count: number) => {
  await push(repository, 'first')
  quay.files.untag(repository, 'first')
  for (let index = 0; index < count; index += 1) quay.files.tag(repository, `t${index}`, digest, at(index))
}
const asked = (part: string) => quay.requests.filter(({ path }) => path.includes(part))

beforeEach(() => start())
afterEach(() => stop())

test('repositories of a namespace with the time of their last change, tags with all that the API tells', async () => {
  await push('team/app', '1')
  await pushSample(driver.registry, 'team/sub/list', list, 'latest')
  await push('other/app', '1')
  quay.files.tag('team/app', '1', digest, at(5))
  const catalog = await open('team')
  const [app, sub, ...more] = await Array.fromAsync(catalog.repositories())
  expect([app, sub?.name, more]).toEqual([{ name: 'team/app', changed: at(5) }, 'team/sub/list', []])
  expect(await Array.fromAsync(catalog.images('team/app'))).toEqual([
    {
      registry: quay.host,
      repository: 'team/app',
      tag: '1',
      digest,
      size_bytes: expect.any(Number),
      created: at(5).toISOString(),
    },
  ])
  expect(await Array.fromAsync(catalog.images('team/sub/list'))).toMatchObject([
    { tag: 'latest', digest: list.manifest.digest },
  ])
  expect(catalog.complete()).toBe(true)
  expect(asked('/v2/').filter(({ method }) => method === 'HEAD' || method === 'GET').length).toBeLessThan(20)
})

test('a namespace may be a part of a path, or one repository', async () => {
  for (const name of ['team/app', 'team/app2', 'team/sub/a', 'team/sub/b']) await push(name, '1')
  const names = async (namespace: string) =>
    (await Array.fromAsync((await open(namespace)).repositories())).map(({ name }) => name)
  expect(await names('team/sub')).toEqual(['team/sub/a', 'team/sub/b'])
  expect(await names('team/app')).toEqual(['team/app'])
  expect(await names('te')).toEqual([])
})

test('without a namespace the names come from the registry, and the tags from the API', async () => {
  await push('team/app', '1')
  const catalog = await open('')
  expect(await Array.fromAsync(catalog.repositories())).toEqual([{ name: 'team/app' }])
  expect(await Array.fromAsync(catalog.images('team/app'))).toMatchObject([{ tag: '1', digest }])
})

test('all pages of repositories, and none that is to be deleted', async () => {
  await restart({ pageSize: 2 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await push(`team/${name}`, '1')
  quay.setState('team/c', 'MARKED_FOR_DELETION')
  const found = await Array.fromAsync((await open('team')).repositories())
  expect(found.map(({ name }) => name)).toEqual(['team/a', 'team/b', 'team/d', 'team/e'])
  expect(asked('/api/v1/repository?').length).toBe(3)
})

test('all pages of tags, and none of the past', async () => {
  await manyTags('team/app', 250)
  quay.deleteTag('team/app', 't7')
  const tags = await Array.fromAsync((await open('team')).images('team/app'))
  expect(new Set(tags.map(({ tag }) => tag)).size).toBe(249)
  expect(tags.length).toBe(249)
  expect(tags.some(({ tag }) => tag === 't7')).toBe(false)
})

test('tags that are pushed, moved and deleted while pages are read are neither missed nor doubled', async () => {
  await manyTags('team/app', 350)
  let turn = 0
  quay.beforePage = (_, page) => {
    turn += 1
    if (turn > 3) return
    quay.files.tag('team/app', `new${turn}`, digest, at(1000 + turn))
    // Of the last page, to the front; and from the first, so that what follows slides over an edge.
    quay.files.tag('team/app', `t${turn}`, digest, at(2000 + turn))
    quay.deleteTag('team/app', `t${349 - turn}`)
    quay.deleteTag('team/app', `t${340 - turn - page}`)
    quay.deleteTag('team/app', `t${330 - turn - page}`)
  }
  const tags = (await Array.fromAsync((await open('team')).images('team/app'))).map(({ tag }) => tag)
  const alive = quay.files.tags('team/app').map(({ name }) => name)
  expect(new Set(tags).size).toBe(tags.length)
  expect(alive.filter((name) => !name.startsWith('new') && !tags.includes(name))).toEqual([])
})

test('pages without an end: API_PROTOCOL', async () => {
  await restart({ endless: true, pageSize: 2 })
  await manyTags('team/app', 3)
  const catalog = await open('team')
  await expect(Array.fromAsync(catalog.images('team/app'))).rejects.toMatchObject({ code: 'API_PROTOCOL' })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'API_PROTOCOL' })
})

test('the API takes no account, and the registry no token', async () => {
  await push('team/app', '1')
  await Array.fromAsync((await open('team')).images('team/app'))
  for (const { path, headers } of quay.requests) {
    const isToken = headers.authorization === `Bearer ${quay.apiToken}`
    expect([path, isToken]).toEqual([path, path.startsWith('/api/')])
  }
})

test('no token: an error where Quay was asked for by name, else the registry itself', async () => {
  await push('team/app', '1')
  await expect(catalogAt(quay.host, 'team', 'quay', { login: quay.robot })).rejects.toMatchObject({
    code: 'API_TOKEN_MISSING',
  })
  const { catalog } = await catalogAt(quay.host, 'team', 'auto', { login: quay.robot })
  expect(catalog.api).toBe('distribution')
  expect(await Array.fromAsync(catalog.repositories())).toEqual([{ name: 'team/app' }])
  expect((await open('team', 'auto')).api).toBe('quay')
})

test('a token that is not taken', async () => {
  await push('team/app', '1')
  const catalog = await open('team', 'quay', 'wrong')
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
})

test('no such repository, no tags', async () => {
  expect(await Array.fromAsync((await open('team')).images('team/none'))).toEqual([])
})
