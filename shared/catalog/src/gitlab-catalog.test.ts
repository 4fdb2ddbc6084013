import { pushSample, sampleImage } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogAt } from './testing/catalog-at.ts'
import { driveWith, type Driver } from './testing/drive.ts'
import { type FakeGitlab, type GitlabOptions, startGitlab } from './testing/index.ts'

const image = sampleImage('gitlab')
const { digest } = image.manifest

let gitlab: FakeGitlab
let driver: Driver

const start = async (options: GitlabOptions = {}) => {
  gitlab = await startGitlab(options)
  driver = await driveWith(gitlab, gitlab.user)
}
const stop = async () => {
  await driver[Symbol.asyncDispose]()
  await gitlab[Symbol.asyncDispose]()
}
const restart = async (options: GitlabOptions) => {
  await stop()
  await start(options)
}
const open = async (namespace: string, api: 'auto' | 'gitlab' = 'gitlab') =>
  (await catalogAt(gitlab.host, namespace, api, { login: gitlab.user, apiToken: gitlab.apiToken })).catalog
const push = (repository: string, tag: string) => pushSample(driver.registry, repository, image, tag)
const names = async (namespace: string) =>
  (await Array.fromAsync((await open(namespace)).repositories())).map(({ name }) => name)

beforeEach(() => start())
afterEach(() => stop())

test('repositories of all projects, of a group, of a project, and a single one', async () => {
  await restart({ projects: ['team/app', 'team/sub/web', 'teams/app'] })
  const all = ['team/app', 'team/app/worker', 'team/sub/web/api', 'teams/app']
  for (const name of all) await push(name, '1')
  expect((await names('')).toSorted()).toEqual(all)
  expect((await names('team')).toSorted()).toEqual(all.slice(0, 3))
  expect((await names('team/app')).toSorted()).toEqual(all.slice(0, 2))
  expect(await names('team/sub/web/api')).toEqual(['team/sub/web/api'])
  expect(await names('none')).toEqual([])
})

test.each([{}, { hidesTotals: true }])('all pages of tags, without digests: %j', async (options) => {
  await restart(options)
  await push('team/app', 't0')
  for (let index = 1; index < 250; index += 1) gitlab.files.tag('team/app', `t${index}`, digest)
  const tags = await Array.fromAsync((await open('team')).images('team/app'))
  expect(new Set(tags.map(({ tag }) => tag)).size).toBe(250)
  expect(tags[0]).toEqual({ registry: gitlab.host, repository: 'team/app', tag: 't0' })
})

test('pages without an end: API_PROTOCOL', async () => {
  await restart({ endless: true })
  await push('team/app', '1')
  const catalog = await open('team')
  await expect(Array.fromAsync(catalog.images('team/app'))).rejects.toMatchObject({ code: 'API_PROTOCOL' })
})

test('a next page elsewhere is not asked for', async () => {
  await restart({ linkOrigin: 'http://127.0.0.2:1' })
  await push('team/app', 't0')
  for (let index = 1; index < 101; index += 1) gitlab.files.tag('team/app', `t${index}`, digest)
  const catalog = await open('team')
  await expect(Array.fromAsync(catalog.images('team/app'))).rejects.toMatchObject({
    code: 'NET_ORIGIN_REFUSED',
  })
})

test('it is found out by asking where there is a token, which the API alone is given', async () => {
  await push('team/app', '1')
  const catalog = await open('team', 'auto')
  expect(catalog.api).toBe('gitlab')
  await Array.fromAsync(catalog.images('team/app'))
  for (const { path, headers } of gitlab.requests)
    expect([path, headers['private-token']]).toEqual([
      path,
      path.startsWith('/api/v4') ? gitlab.apiToken : undefined,
    ])
  expect((await catalogAt(gitlab.host, 'team', 'auto', { login: gitlab.user })).catalog.api).toBe(
    'distribution',
  )
})

test('the API wants a token', async () => {
  const { catalog } = await catalogAt(gitlab.host, 'team', 'gitlab', { login: gitlab.user })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'API_TOKEN_MISSING' })
})
