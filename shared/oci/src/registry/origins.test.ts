import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { type Seen, startServer, type TestServer } from '@carryall/http/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Destination } from '../store.ts'
import { sampleArtifact, sampleBlob, sampleImage } from '../testing/index.ts'
import { loadCredentials } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

const PASSWORD = 'canary-password'
const IDENTITY = 'canary-identity'
const TOKEN = 'canary-token'
const BASIC = Buffer.from(`me:${PASSWORD}`).toString('base64')
const IMAGE = sampleImage('origins')
const SMALL = sampleBlob('origins')
const LARGE = sampleBlob({ seed: 'origins', size: 300_000 })
const SUBJECT = sampleArtifact('origins', IMAGE.descriptor)

/** Who must not learn anything: another host, another port, another name and another family of the same machine. */
interface Sinks {
  readonly host: string
  readonly port: string
  readonly name: string
  readonly six: string
}

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

interface Scenario {
  readonly name: string
  /** What the registry does other than usual. */
  readonly lure: (seen: Seen, sinks: Sinks, own: string) => Answer | undefined
  readonly act: (store: Destination) => Promise<unknown>
  /** Code of the error; none where the act succeeds. */
  readonly code?: string
  /** True where a sink may be asked, without credentials. */
  readonly asked?: boolean
  readonly login?: 'bearer' | 'identity'
}

const acts = {
  head: (store: Destination) => store.head('a', 'v1'),
  manifest: (store: Destination) => store.manifest('a', 'v1'),
  blob: (store: Destination) => Array.fromAsync(store.blob('a', LARGE.descriptor)),
  rest: (store: Destination) => Array.fromAsync(store.blob('a', LARGE.descriptor, 100)),
  hasBlob: (store: Destination) => store.hasBlob('a', SMALL.descriptor.digest),
  tags: (store: Destination) => Array.fromAsync(store.tags('a')),
  repositories: (store: Destination) => Array.fromAsync(store.repositories()),
  referrers: (store: Destination) => store.referrers('a', IMAGE.manifest.digest),
  putSmall: (store: Destination) => store.putBlob('a', SMALL.descriptor, SMALL.open),
  putLarge: (store: Destination) => store.putBlob('a', LARGE.descriptor, LARGE.open),
  putManifest: (store: Destination) => store.putManifest('a', 'v1', IMAGE.manifest),
  putReferrer: (store: Destination) => store.putManifest('a', SUBJECT.manifest.digest, SUBJECT.manifest),
}

const at = (path: RegExp, to: (sinks: Sinks, own: string) => string, status = 307) => (seen: Seen, sinks: Sinks, own: string) =>
  path.test(seen.url) ? { status, headers: { location: to(sinks, own) } } : undefined
const when = (method: string, answer: (seen: Seen, sinks: Sinks, own: string) => Answer | undefined) => (seen: Seen, sinks: Sinks, own: string) =>
  seen.method === method ? answer(seen, sinks, own) : undefined
const link = (path: RegExp, to: (sinks: Sinks) => string, page: object) => (seen: Seen, sinks: Sinks) =>
  path.test(seen.url) ? { status: 200, headers: { link: `<${to(sinks)}>; rel="next"` }, body: JSON.stringify(page) } : undefined
const realm = (to: (sinks: Sinks, own: string) => string) => (seen: Seen, sinks: Sinks, own: string) =>
  seen.headers.authorization ? undefined : { status: 401, headers: { 'www-authenticate': `Bearer realm="${to(sinks, own)}",service="x"` } }

const NO_REFERRERS = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }
const refused = { code: 'NET_ORIGIN_REFUSED' }

const SCENARIOS: readonly Scenario[] = [
  // Redirects: followed, with nothing on us.
  ...(['head', 'manifest', 'blob', 'rest', 'hasBlob', 'tags', 'repositories', 'referrers'] as const).map((name) => ({
    name: `${name} is redirected to another host`,
    lure: at(/^\/v2\/./, ({ host }) => `${host}/stolen`),
    act: acts[name],
    asked: true,
    ...(name === 'hasBlob' ? {} : { code: 'AUTH_DENIED' }),
  })),
  ...(['port', 'name', 'six'] as const).map((sink) => ({
    name: `a blob is redirected to another ${sink}`,
    lure: at(/blobs/, (sinks) => `${sinks[sink]}/stolen`),
    act: acts.blob,
    asked: true,
    code: 'AUTH_DENIED',
  })),
  { name: 'a blob is redirected without a scheme', lure: at(/blobs/, ({ host }) => host.replace('http:', '')), act: acts.blob, asked: true, code: 'AUTH_DENIED' },
  { name: 'a blob is redirected with backslashes', lure: at(/blobs/, ({ host }) => host.replace('http://', '\\\\')), act: acts.blob, asked: true, code: 'AUTH_DENIED' },
  { name: 'a blob is redirected at home, then away', lure: (seen, sinks) => at(/blobs/, () => '/elsewhere')(seen, sinks, '') ?? at(/elsewhere/, ({ port }) => port)(seen, sinks, ''), act: acts.blob, asked: true, code: 'AUTH_DENIED' },
  { name: 'a blob is redirected to another scheme', lure: at(/blobs/, ({ host }) => host.replace('http:', 'https:')), act: acts.blob, asked: true, code: 'NET_TLS' },
  { name: 'a blob is redirected with a user', lure: at(/blobs/, ({ host }, own) => host.replace('http://', `${own}@`)), act: acts.blob, ...refused },
  { name: 'a manifest is redirected to a metadata address', lure: at(/manifests/, () => 'http://169.254.169.254/latest'), act: acts.manifest, ...refused },
  { name: 'the first request is redirected to who wants a password', lure: at(/^\/v2\/$/, ({ host }) => host), act: acts.manifest, asked: true },
  { name: 'bearer: a blob is redirected to another host', lure: at(/blobs/, ({ host }) => host), act: acts.blob, asked: true, code: 'AUTH_DENIED', login: 'bearer' },
  { name: 'bearer: a blob is redirected to another port', lure: at(/blobs/, ({ port }) => port), act: acts.blob, asked: true, code: 'AUTH_DENIED', login: 'bearer' },
  // Writes are not redirected at all.
  { name: 'the beginning of an upload is redirected', lure: when('POST', at(/uploads/, ({ port }) => port)), act: acts.putSmall, code: 'REG_PROTOCOL' },
  { name: 'an upload is redirected', lure: when('PUT', at(/uploads/, ({ port }) => port)), act: acts.putLarge, code: 'REG_PROTOCOL' },
  { name: 'a manifest on its way in is redirected', lure: when('PUT', at(/manifests/, ({ host }) => host)), act: acts.putManifest, code: 'REG_PROTOCOL' },
  // Upload locations.
  ...(['host', 'port', 'name', 'six'] as const).map((sink) => ({
    name: `an upload’s location is at another ${sink}`,
    lure: when('POST', at(/uploads/, (sinks) => `${sinks[sink]}/upload`, 202)),
    act: acts.putSmall,
    ...refused,
  })),
  { name: 'an upload’s location has no scheme', lure: when('POST', at(/uploads/, ({ host }) => host.replace('http:', ''), 202)), act: acts.putLarge, ...refused },
  { name: 'an upload’s location has another scheme', lure: when('POST', at(/uploads/, (_, own) => own.replace('http:', 'https:'), 202)), act: acts.putLarge, ...refused },
  { name: 'an upload’s location has a user', lure: when('POST', at(/uploads/, ({ host }, own) => host.replace('http://', `${own}@`), 202)), act: acts.putLarge, ...refused },
  { name: 'an upload’s location is at home with a user', lure: when('POST', at(/uploads/, (_, own) => own.replace('http://', 'http://me@'), 202)), act: acts.putLarge, ...refused },
  {
    name: 'the location after a PATCH is at another port',
    lure: (seen, sinks) => (seen.method === 'PUT' ? { status: 405 } : seen.method === 'PATCH' ? { status: 202, headers: { location: sinks.port } } : undefined),
    act: acts.putLarge,
    ...refused,
  },
  { name: 'bearer: an upload’s location is at another port', lure: when('POST', at(/uploads/, ({ port }) => port, 202)), act: acts.putSmall, ...refused, login: 'bearer' },
  // Pages.
  ...(['host', 'port', 'name', 'six'] as const).map((sink) => ({
    name: `the next page of tags is at another ${sink}`,
    lure: link(/tags/, (sinks) => `${sinks[sink]}/v2/a/tags/list?last=a`, { tags: ['a'] }),
    act: acts.tags,
    ...refused,
  })),
  { name: 'the next page of the catalog is at another host', lure: link(/_catalog/, ({ host }) => host, { repositories: ['a'] }), act: acts.repositories, ...refused },
  { name: 'the next page of the catalog has no scheme', lure: link(/_catalog/, ({ host }) => host.replace('http:', ''), { repositories: ['a'] }), act: acts.repositories, ...refused },
  { name: 'the next page of referrers is at another port', lure: link(/referrers/, ({ port }) => port, NO_REFERRERS), act: acts.referrers, ...refused },
  // Token servers.
  ...(['host', 'name', 'six'] as const).map((sink) => ({
    name: `the token server is another ${sink}`,
    lure: realm((sinks) => `${sinks[sink]}/token`),
    act: acts.manifest,
    ...refused,
  })),
  { name: 'an identity token is wanted by another host', lure: realm(({ host }) => host), act: acts.manifest, ...refused, login: 'identity' },
  { name: 'the token server has a user', lure: realm(({ host }, own) => host.replace('http://', `${own}@`)), act: acts.manifest, ...refused },
  { name: 'the token server has backslashes', lure: realm(({ host }) => host.replace('http://', 'http:\\\\')), act: acts.manifest, ...refused },
  { name: 'the token server is a metadata address', lure: realm(() => 'http://169.254.169.254/token'), act: acts.manifest, ...refused },
  { name: 'the token server is the unspecified address', lure: realm(({ host }) => `http://0.0.0.0:${new URL(host).port}/`), act: acts.manifest, ...refused },
  { name: 'the token server redirects away', lure: (seen, sinks, own) => at(/^\/token/, ({ host }) => host)(seen, sinks, own) ?? realm(() => `${own}/token`)(seen, sinks, own), act: acts.manifest, asked: true, code: 'AUTH_DENIED' },
  {
    name: 'the token server redirects an identity token away',
    lure: (seen, sinks, own) => at(/^\/token/, ({ host }) => host)(seen, sinks, own) ?? realm(() => `${own}/token`)(seen, sinks, own),
    act: acts.manifest,
    code: 'REG_PROTOCOL',
    login: 'identity',
  },
  { name: 'a token would add a header', lure: (seen, _, own) => (seen.url.startsWith('/token') ? { status: 200, body: '{"token":"x\\r\\nx-secret: y"}' } : realm(() => `${own}/token`)(seen, _, own)), act: acts.manifest, code: 'REG_PROTOCOL' },
  // The fallback for referrers writes, too.
  { name: 'the fallback tag for referrers is redirected', lure: when('GET', at(/manifests\/sha256-/, ({ host }) => host)), act: acts.putReferrer, asked: true, code: 'AUTH_DENIED' },
]

let directory: string
const asked: Seen[] = []
const servers: TestServer[] = []
let sinks: Sinks
let told = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'origins-'))
  // A sink wants to be told a password.
  const sink = async (address: string) => {
    const server = await startServer((seen, response) => {
      asked.push(seen)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="sink"' }).end()
    }, { address })
    servers.push(server)
    return server
  }
  const [host, port, six] = await Promise.all([sink('127.0.0.2'), sink('127.0.0.1'), sink('::1')])
  sinks = { host: host.url, port: port.url, name: `http://localhost:${port.port}`, six: six.url }
})

afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

/** A registry that lets in who has a credential, except for what the scenario does. */
function registryOf({ lure, login }: Scenario): Promise<TestServer> {
  return startServer((seen, response) => {
    const own = `http://${seen.headers.host}`
    const { status, headers = {}, body = '' } = lure(seen, sinks, own) ?? usual(seen, own, login === 'bearer')
    response.writeHead(status, headers).end(body)
  })
}

function usual(seen: Seen, own: string, bearer: boolean): Answer {
  if (seen.url.startsWith('/token')) return { status: 200, body: JSON.stringify({ token: TOKEN }) }
  if (seen.headers.authorization === undefined) {
    return { status: 401, headers: { 'www-authenticate': bearer ? `Bearer realm="${own}/token"` : 'Basic realm="own"' } }
  }
  if (seen.method === 'POST') return { status: 202, headers: { location: '/v2/a/blobs/uploads/1?_state=x' } }
  if (seen.method === 'PUT' || seen.method === 'PATCH') return { status: seen.method === 'PUT' ? 201 : 202 }
  if (!seen.url.includes('/manifests/v1')) return { status: 404 }
  return { status: 200, headers: { 'content-type': IMAGE.manifest.mediaType }, body: IMAGE.manifest.bytes.toString() }
}

test.each(SCENARIOS)('$name', async (scenario) => {
  asked.length = 0
  await using registry = await registryOf(scenario)
  const authfile = join(directory, 'auth.json')
  const entry = scenario.login === 'identity' ? { identitytoken: IDENTITY } : { auth: BASIC }
  await writeFile(authfile, JSON.stringify({ auths: { [registry.host]: entry } }), { mode: 0o600 })
  const http = createHttp({ retry: { times: 0 } })
  const store = openRegistry({ host: registry.host }, { http, credentials: await loadCredentials({ authfile, env: {} }) })
  const code = await scenario.act(store).then(() => undefined, (error: { code: string }) => error.code)
  await http.close()
  told += registry.requests.some(({ headers }) => headers.authorization !== undefined) ? 1 : 0
  const arrived = JSON.stringify(asked.map((seen) => ({ ...seen, body: seen.body.toString() })))
  for (const secret of [PASSWORD, IDENTITY, TOKEN, BASIC, 'authorization']) expect(arrived).not.toContain(secret)
  expect({ code, asked: asked.length > 0 }).toEqual({ code: scenario.code, asked: scenario.code === 'NET_TLS' ? false : (scenario.asked ?? false) })
})

test('the sinks hear what they are told, and most registries were told a secret', async () => {
  asked.length = 0
  await fetch(sinks.host, { headers: { authorization: `Basic ${BASIC}` } })
  expect(JSON.stringify(asked)).toContain(BASIC)
  expect(told).toBeGreaterThanOrEqual(35)
})
