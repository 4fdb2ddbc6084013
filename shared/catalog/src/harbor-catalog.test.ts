import { pool } from '@carryall/oci'
import { pushSample, sampleArtifact, sampleImage } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogAt } from './testing/catalog-at.ts'
import { driveWith, type Driver } from './testing/drive.ts'
import { type FakeHarbor, type HarborOptions, startHarbor } from './testing/index.ts'

const image = sampleImage('harbor')
const { digest, mediaType } = image.manifest

let harbor: FakeHarbor
let driver: Driver

const start = async (options: HarborOptions = {}) => {
  harbor = await startHarbor(options)
  driver = await driveWith(harbor, harbor.admin)
}
const stop = async () => {
  await driver[Symbol.asyncDispose]()
  await harbor[Symbol.asyncDispose]()
}
const restart = async (options: HarborOptions) => {
  await stop()
  await start(options)
}
const open = async (
  namespace: string,
  api: 'auto' | 'harbor' = 'harbor',
  login: 'robot' | 'nobody' = 'robot',
) => (await catalogAt(harbor.host, namespace, api, login === 'robot' ? { login: harbor.robot } : {})).catalog
const push = (repository: string, tag: string, sample = image) =>
  pushSample(driver.registry, repository, sample, tag)
/** As many artifacts, each with a tag: a page of the API is one of artifacts. */
const manyImages = async (repository: string, count: number) => {
  const direct = await driveWith(harbor.store, harbor.admin)
  await pool(Array(count).keys(), 8, undefined, (index) =>
    pushSample(direct.registry, repository, sampleImage(`${index}`, { layers: [] }), `t${index}`),
  )
  await direct[Symbol.asyncDispose]()
}
const names = async (namespace: string) =>
  (await Array.fromAsync((await open(namespace)).repositories())).map(({ name }) => name)

beforeEach(() => start())
afterEach(() => stop())

test('tags with digest, type, size and time; a path below the project is encoded twice', async () => {
  await push('library/sub/app', '1')
  await push('library/sub/app', 'latest')
  const catalog = await open('library')
  expect(await Array.fromAsync(catalog.repositories())).toEqual([{ name: 'library/sub/app' }])
  expect(await Array.fromAsync(catalog.images('library/sub/app'))).toEqual(
    ['1', 'latest'].map((tag) => ({
      registry: harbor.host,
      repository: 'library/sub/app',
      tag,
      digest,
      media_type: mediaType,
      size_bytes: expect.any(Number),
      created: expect.stringMatching(/^2.*Z$/),
    })),
  )
  expect(harbor.requests.some(({ path }) => path.includes('/repositories/sub%252Fapp/artifacts'))).toBe(true)
})

test('projects, all of them or one, and names below it', async () => {
  await restart({ projects: { library: {}, team: {} } })
  for (const name of ['library/app', 'team/a', 'team/sub/b', 'team/subject']) await push(name, '1')
  expect((await names('')).toSorted()).toEqual(['library/app', 'team/a', 'team/sub/b', 'team/subject'])
  expect((await names('team')).toSorted()).toEqual(['team/a', 'team/sub/b', 'team/subject'])
  expect(await names('team/sub')).toEqual(['team/sub/b'])
  expect(await names('none')).toEqual([])
})

test('signatures and what has no tag are no images of their own', async () => {
  await push('library/app', '1')
  await pushSample(driver.registry, 'library/app', sampleArtifact('signature', image.descriptor))
  await push('library/app', digest.replace(':', '-') + '.sig', sampleImage('cosign'))
  await push('library/app', 'old', sampleImage('untagged'))
  harbor.files.untag('library/app', 'old')
  const tags = await Array.fromAsync((await open('library')).images('library/app'))
  expect(tags.map(({ tag }) => tag)).toEqual(['1'])
})

test.each([{}, { losesLink: true }])('all pages of artifacts: %j', async (options) => {
  await restart(options)
  await manyImages('library/app', 130)
  const before = harbor.requests.length
  const tags = await Array.fromAsync((await open('library')).images('library/app'))
  expect(new Set(tags.map(({ tag }) => tag)).size).toBe(130)
  expect(harbor.requests.slice(before).filter(({ path }) => path.includes('/artifacts')).length).toBe(2)
})

test('what is pushed and deleted while pages are read is neither missed nor doubled', async () => {
  await manyImages('library/app', 130)
  let turn = 0
  harbor.beforePage = async () => {
    turn += 1
    if (turn > 2) return
    harbor.files.untag('library/app', `t${129 - turn}`)
    harbor.files.untag('library/app', `t${10 + turn}`)
  }
  const tags = (await Array.fromAsync((await open('library')).images('library/app'))).map(({ tag }) => tag)
  const alive = harbor.files.tags('library/app').map(({ name }) => name)
  expect(new Set(tags).size).toBe(tags.length)
  expect(alive.filter((name) => !tags.includes(name))).toEqual([])
})

test('pages without an end: API_PROTOCOL', async () => {
  await restart({ endless: true })
  await push('library/app', '1')
  const catalog = await open('library')
  await expect(Array.fromAsync(catalog.images('library/app'))).rejects.toMatchObject({ code: 'API_PROTOCOL' })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'API_PROTOCOL' })
})

test('a next page elsewhere is not asked for', async () => {
  await restart({ linkOrigin: 'http://127.0.0.2:1' })
  await manyImages('library/app', 101)
  const catalog = await open('library')
  await expect(Array.fromAsync(catalog.images('library/app'))).rejects.toMatchObject({
    code: 'NET_ORIGIN_REFUSED',
  })
})

test('behind a proxy that decodes paths the registry tells the tags', async () => {
  await restart({ decodesPaths: true })
  await push('library/sub/app', '1')
  expect(await Array.fromAsync((await open('library')).images('library/sub/app'))).toEqual([
    { registry: harbor.host, repository: 'library/sub/app', tag: '1' },
  ])
})

test('who is not let in', async () => {
  await push('library/app', '1')
  const catalog = await open('library', 'harbor', 'nobody')
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'AUTH_DENIED' })
})

test('it is found out by asking, with an account or without', async () => {
  expect((await open('library', 'auto')).api).toBe('harbor')
  expect((await open('library', 'auto', 'nobody')).api).toBe('harbor')
})
