import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { type Seen, startServer, type TestServer } from '@carryall/http/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from '../testing/index.ts'
import { loadCredentials } from './credentials.ts'
import { openRegistry } from './open-registry.ts'
import {
  BASIC,
  IDENTITY,
  IMAGE,
  PASSWORD,
  type Scenario,
  type Sinks,
  TOKEN,
} from '../testing/origin-lures.ts'
import { SCENARIOS } from '../testing/origin-scenarios.ts'

let directory: string
const asked: Seen[] = []
const servers: TestServer[] = []
let sinks: Sinks
let told = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'origins-'))
  // A sink wants to be told a password.
  const sink = async (address: string) => {
    const server = await startServer(
      (seen, response) => {
        asked.push(seen)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="sink"' }).end()
      },
      { address },
    )
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
    return {
      status: 401,
      headers: { 'www-authenticate': bearer ? `Bearer realm="${own}/token"` : 'Basic realm="own"' },
    }
  }
  if (seen.method === 'POST') return { status: 202, headers: { location: '/v2/a/blobs/uploads/1?_state=x' } }
  if (seen.method === 'PUT' || seen.method === 'PATCH') return { status: seen.method === 'PUT' ? 201 : 202 }
  if (!seen.url.includes('/manifests/v1')) return { status: 404 }
  return {
    status: 200,
    headers: { 'content-type': IMAGE.manifest.mediaType },
    body: IMAGE.manifest.bytes.toString(),
  }
}

test.each(SCENARIOS)('$name', async (scenario) => {
  asked.length = 0
  await using registry = await registryOf(scenario)
  const authfile = join(directory, 'auth.json')
  const entry = scenario.login === 'identity' ? { identitytoken: IDENTITY } : { auth: BASIC }
  await writeFile(authfile, JSON.stringify({ auths: { [registry.host]: entry } }), { mode: 0o600 })
  const http = createHttp({ retry: { times: 0 } })
  const store = openRegistry(
    { host: registry.host },
    { http, credentials: await loadCredentials({ authfile, env: {} }) },
  )
  const code = await scenario.act(store).then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  await http.close()
  told += registry.requests.some(({ headers }) => headers.authorization !== undefined) ? 1 : 0
  const arrived = JSON.stringify(asked.map((seen) => ({ ...seen, body: seen.body.toString() })))
  for (const secret of [PASSWORD, IDENTITY, TOKEN, BASIC, 'authorization'])
    expect(arrived).not.toContain(secret)
  expect({ code, asked: asked.length > 0 }).toEqual({
    code: scenario.code,
    asked: scenario.code === 'NET_TLS' ? false : (scenario.asked ?? false),
  })
})

test('the sinks hear what they are told, and most registries were told a secret', async () => {
  asked.length = 0
  await fetch(sinks.host, { headers: { authorization: `Basic ${BASIC}` } })
  expect(JSON.stringify(asked)).toContain(BASIC)
  expect(told).toBeGreaterThanOrEqual(35)
})
