import { pushSample, sampleImage, sampleIndex } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { driveWith, type Driver } from './drive.ts'
import { type FakeGitlab, type GitlabOptions, startGitlab } from './gitlab.ts'

const image = sampleImage('gitlab')
const list = sampleIndex([image])

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
const push = (repository: string, tag: string, sample = image) =>
  pushSample(driver.registry, repository, sample, tag)
const api = (path: string, token = gitlab.apiToken) =>
  fetch(`${gitlab.url}/api/v4/${path}`, { headers: { 'private-token': token } })
const read = async <T>(path: string) => (await (await api(path)).json()) as T

beforeEach(() => start())
afterEach(() => stop())

test('the registry works with our client and with skopeo, and has no catalog for users', async () => {
  await push('group/project/app', '1', list)
  const from = `docker://${gitlab.host}/group/project/app:1`
  await driver.skopeo('copy', '--all', '--preserve-digests', from, `docker://${gitlab.host}/group/project:2`)
  expect((await driver.registry.head('group/project', '2'))?.digest).toBe(list.manifest.digest)
  await expect(Array.fromAsync(driver.registry.repositories())).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  const answer = await fetch(`${gitlab.url}/v2/`)
  expect(answer.headers.get('www-authenticate')).toBe(
    `Bearer realm="${gitlab.url}/jwt/auth",service="container_registry"`,
  )
})

test('the API wants its token and leads from projects to digests', async () => {
  await push('group/project/deep/app', '1')
  await push('group/project', '2', list)
  expect((await api('projects', 'wrong')).status).toBe(401)
  const [project] = await read<readonly { id: number }[]>('projects?membership=true')
  expect(project).toMatchObject({ path_with_namespace: 'group/project' })
  const path = `projects/${project!.id}/registry/repositories`
  const repositories = await read<readonly { id: number }[]>(`${path}?tags_count=true`)
  expect(repositories).toMatchObject([
    { name: '', path: 'group/project', tags_count: 1 },
    { name: 'deep/app', path: 'group/project/deep/app' },
  ])
  expect(await read(`projects/group%2Fproject/registry/repositories`)).toHaveLength(2)
  expect(await read('groups/group/registry/repositories')).toHaveLength(2)
  const tags = `${path}/${repositories[1]!.id}/tags`
  // Names without digests.
  expect(await read(tags)).toEqual([
    { name: '1', path: 'group/project/deep/app:1', location: `${gitlab.host}/group/project/deep/app:1` },
  ])
  expect(await read(`${tags}/1`)).toMatchObject({
    digest: image.manifest.digest,
    revision: image.blobs[0]!.descriptor.digest.slice(7),
    total_size: expect.any(Number),
  })
  expect(await read(`${path}/${repositories[0]!.id}/tags/2`)).toMatchObject({
    revision: null,
    total_size: null,
  })
  for (const none of ['projects/1/registry/repositories', `${path}/1/tags`, `${tags}/none`])
    expect((await api(none)).status).toBe(404)
})

test('pages are told in headers, empty at the end', async () => {
  for (let index = 0; index < 3; index++) await push(`group/project/r${index}`, '1')
  const path = 'projects/group%2Fproject/registry/repositories'
  const first = await api(`${path}?per_page=2`)
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'x-next-page': '2',
    'x-total': '3',
    'x-total-pages': '2',
    link: `<${gitlab.url}/api/v4/${path}?per_page=2&page=2>; rel="next"`,
  })
  const second = await api(`${path}?per_page=2&page=2`)
  expect(await second.json()).toHaveLength(1)
  expect(second.headers.get('x-next-page')).toBe('')
  expect((await api(`${path}?per_page=1000`)).headers.get('x-per-page')).toBe('100')
})

test('totals can be missing, pages can go in circles and shift', async () => {
  await stop()
  await start({ hidesTotals: true, endless: true, projects: ['group/project'] })
  await push('group/project/b', '1')
  const path = 'groups/group/registry/repositories?per_page=1'
  const first = await api(path)
  expect([first.headers.get('x-total'), first.headers.get('x-next-page')]).toEqual([null, '2'])
  gitlab.beforePage = () => push('group/project/a', '1')
  expect(await read(`${path}&page=2`)).toMatchObject([{ path: 'group/project/b' }])
  expect(await read(`${path}&page=3`)).toMatchObject([{ path: 'group/project/a' }])
})

test('other pages lead to the login', async () => {
  const answer = await fetch(`${gitlab.url}/anything`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([302, `${gitlab.url}/users/sign_in`])
  expect((await fetch(`${gitlab.url}/api/v1/repository`)).status).toBe(404)
})
