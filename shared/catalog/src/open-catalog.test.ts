import { createHttp } from '@carryall/http'
import { openLayout, openRegistry } from '@carryall/oci'
import {
  type Answer,
  pushSample,
  refusing,
  sampleImage,
  scriptedRegistry,
  startDockerRegistry,
} from '@carryall/oci/testing'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openCatalog } from './open-catalog.ts'
import { catalogAt } from './testing/catalog-at.ts'
import { startGitlab, startQuay } from './testing/index.ts'

const image = sampleImage('open')
const json = (value: unknown): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})
const html: Answer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' }
const at = async (answer: (url: string) => Answer | undefined) => {
  const { server } = await scriptedRegistry(({ url }) => answer(url))
  return server
}

test('a docker-registry: its catalog, its tags, nothing else', async () => {
  await using registry = await startDockerRegistry()
  const http = createHttp()
  onTestFinished(() => http.close())
  const store = openRegistry(
    { host: registry.host },
    { http, credentials: { find: async () => undefined, describe: () => '' } },
  )
  for (const name of ['team/app', 'team/sub/web', 'teams/app']) await pushSample(store, name, image, '1')
  const { catalog } = await catalogAt(registry.host, 'team', 'auto', { apiToken: 'token' })
  expect(catalog.api).toBe('distribution')
  const found = await Array.fromAsync(catalog.repositories())
  expect(found).toEqual([{ name: 'team/app' }, { name: 'team/sub/web' }])
  expect(await Array.fromAsync(catalog.images('team/app'))).toEqual([
    { registry: registry.host, repository: 'team/app', tag: '1' },
  ])
  for (const api of ['harbor', 'quay', 'hub'] as const) {
    const open = async () => {
      const other = (await catalogAt(registry.host, 'team', api, { apiToken: 'token' })).catalog
      return Array.fromAsync(other.repositories())
    }
    await expect(open()).rejects.toMatchObject({ code: 'API_UNSUPPORTED' })
  }
})

test.each<[string, (url: string) => Answer]>([
  ['a page for every path', () => html],
  ['JSON of another kind', () => json({ message: 'hello' })],
  ['an empty list for every path', () => json([])],
  ['401 for every path', () => refusing(401, 'UNAUTHORIZED')],
  ['403 for every path', () => refusing(403, 'DENIED')],
  ['a login elsewhere', () => ({ status: 302, headers: { location: 'http://127.0.0.2:1/login' } })],
  ['redirects in circles', () => ({ status: 302, headers: { location: '/api/again' } })],
  ['errors', () => refusing(500, 'UNKNOWN')],
  ['text that says JSON', () => ({ ...html, headers: { 'content-type': 'application/json' } })],
])('%s beside the registry is none of its APIs', async (_, answer) => {
  const server = await at((url) => (url.startsWith('/api/') ? answer(url) : undefined))
  const { catalog } = await catalogAt(server.host, '', 'auto', { apiToken: 'token' })
  expect(catalog.api).toBe('distribution')
})

test('a registry that does not answer is none at all', async () => {
  await expect(catalogAt('127.0.0.1:1', '', 'auto')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
})

test.each([
  ['not JSON', html],
  ['another shape', json({ repositories: [{ name: 'a' }] })],
  ['a name that is none', json({ repositories: [{ namespace: 'team', name: '../../etc' }] })],
  ['a name with a control character', json({ repositories: [{ namespace: 'team', name: 'a\u001b[2J' }] })],
])('an API that answers with %s: API_PROTOCOL', async (_, answer) => {
  const server = await at((url) => (url.startsWith('/api/') ? answer : undefined))
  const { catalog } = await catalogAt(server.host, 'team', 'quay', { apiToken: 'token' })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'API_PROTOCOL' })
})

test.each([
  { name: '../x' },
  { name: 'a:b' },
  { name: '1', manifest_digest: 'sha256:../../x' },
  { name: '1', size: -1 },
])('a tag %j: API_PROTOCOL', async (tag) => {
  const server = await at((url) =>
    url.startsWith('/api/') ? json({ tags: [tag], has_additional: false }) : undefined,
  )
  const { catalog } = await catalogAt(server.host, 'team', 'quay', { apiToken: 'token' })
  await expect(Array.fromAsync(catalog.images('team/app'))).rejects.toMatchObject({ code: 'API_PROTOCOL' })
})

test('an answer without an end is cut off', async () => {
  const server = await at((url) =>
    url.startsWith('/api/') ? { ...html, body: Buffer.alloc(33 * 1024 * 1024, 0x20) } : undefined,
  )
  const { catalog } = await catalogAt(server.host, 'team', 'quay', { apiToken: 'token' })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
})

test('a token goes nowhere else, not even by a redirect, and what is said there does not count', async () => {
  const elsewhere = await at(() => json({ repositories: [] }))
  const server = await at((url) =>
    url.startsWith('/api/') ? { status: 307, headers: { location: `${elsewhere.url}${url}` } } : undefined,
  )
  const { catalog } = await catalogAt(server.host, 'team', 'quay', { apiToken: 'token-0123456789' })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({ code: 'NET_ORIGIN_REFUSED' })
  expect(JSON.stringify(elsewhere.requests)).not.toContain('token-0123456789')
})

test('a GitLab elsewhere is believed where it is of the same site, or allowed', async () => {
  const realm = {
    'www-authenticate': 'Bearer realm="http://127.0.0.2:1/jwt/auth",service="container_registry"',
  }
  const server = await at((url) => (url === '/v2/' ? { status: 401, headers: realm } : undefined))
  await expect(catalogAt(server.host, '', 'gitlab', { apiToken: 'token' })).rejects.toMatchObject({
    code: 'NET_ORIGIN_REFUSED',
  })
  const allowed = { apiToken: 'token', allowedRealms: ['127.0.0.2:1'] }
  const { catalog } = await catalogAt(server.host, '', 'gitlab', allowed)
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
    details: { subject: { name: '127.0.0.2:1' } },
  })
})

test('without a catalog a namespace is the repository of its name, and the list may not be all', async () => {
  const server = await at((url) => {
    if (url.startsWith('/v2/_catalog')) return refusing(401, 'UNAUTHORIZED')
    return url.startsWith('/v2/team/app/tags') ? json({ tags: ['1'] }) : undefined
  })
  const { catalog } = await catalogAt(server.host, 'team/app', 'distribution')
  expect(catalog.complete()).toBe(true)
  expect(await Array.fromAsync(catalog.repositories())).toEqual([{ name: 'team/app' }])
  expect(catalog.complete()).toBe(false)
  for (const namespace of ['', 'team']) {
    const other = (await catalogAt(server.host, namespace, 'distribution')).catalog
    await expect(Array.fromAsync(other.repositories())).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
  }
})

test('a layout tells digests along with its tags', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'catalog-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const layout = await openLayout(directory, { write: true })
  onTestFinished(() => layout.close())
  await pushSample(layout, 'team/app', image, '1')
  await pushSample(layout, 'other/app', image, '1')
  const http = createHttp()
  onTestFinished(() => http.close())
  const ports = { store: layout, http, registry: `oci:${directory}` }
  const catalog = await openCatalog('team', 'auto', ports)
  expect(catalog.api).toBe('layout')
  expect(await Array.fromAsync(catalog.repositories())).toEqual([{ name: 'team/app' }])
  expect(await Array.fromAsync(catalog.images('team/app'))).toEqual([
    {
      registry: `oci:${directory}`,
      repository: 'team/app',
      tag: '1',
      digest: image.manifest.digest,
      media_type: image.manifest.mediaType,
    },
  ])
  await expect(openCatalog('', 'harbor', ports)).rejects.toMatchObject({ code: 'API_UNSUPPORTED' })
})

test('a namespace that is no path of repositories', async () => {
  await expect(catalogAt('127.0.0.1:1', 'Team/../x', 'distribution')).rejects.toMatchObject({
    code: 'REFERENCE_INVALID',
  })
})

test('a token that is wrong or has expired is told, not passed over', async () => {
  await using quay = await startQuay()
  await using gitlab = await startGitlab()
  const refused = { code: 'LOGIN_FAILED', details: { actual: 401 } }
  const apiToken = 'expired-0123456789'
  await expect(catalogAt(quay.host, 'team', 'auto', { apiToken })).rejects.toMatchObject(refused)
  await expect(catalogAt(gitlab.host, 'team', 'auto', { apiToken })).rejects.toMatchObject(refused)
  const { catalog } = await catalogAt(quay.host, 'team', 'quay', { apiToken })
  await expect(Array.fromAsync(catalog.repositories())).rejects.toMatchObject(refused)
})
