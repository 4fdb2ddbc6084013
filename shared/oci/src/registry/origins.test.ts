import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { type Seen, startServer, type TestServer } from '@carryall/http/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type RunningSinks, SCENARIOS, startSinks } from '../testing/index.ts'
import { loadCredentials } from './credentials.ts'
import { openRegistry } from './open-registry.ts'
import { BASIC, IDENTITY, IMAGE, PASSWORD, type Scenario, TOKEN } from '../testing/origin-lures.ts'

let directory: string
let sinks: RunningSinks
let told = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'origins-'))
  sinks = await startSinks()
})

afterAll(async () => {
  await sinks[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

/** A registry that lets in who has a credential, except for what the scenario does. */
function registryOf({ lure, login }: Scenario): Promise<TestServer> {
  return startServer((seen, response) => {
    const own = `http://${seen.headers.host}`
    const {
      status,
      headers = {},
      body = '',
    } = lure(seen, sinks.at, own) ?? usual(seen, own, login === 'bearer')
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
  sinks.told.length = 0
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
  const arrived = JSON.stringify(sinks.told.map((seen) => ({ ...seen, body: seen.body.toString() })))
  for (const secret of [PASSWORD, IDENTITY, TOKEN, BASIC, 'authorization'])
    expect(arrived).not.toContain(secret)
  expect({ code, asked: sinks.told.length > 0 }).toEqual({
    code: scenario.code,
    asked: scenario.code === 'NET_TLS' ? false : (scenario.asked ?? false),
  })
})

test('the sinks hear what they are told, and most registries were told a secret', async () => {
  sinks.told.length = 0
  await fetch(sinks.at.host, { headers: { authorization: `Basic ${BASIC}` } })
  expect(JSON.stringify(sinks.told)).toContain(BASIC)
  expect(told).toBeGreaterThanOrEqual(35)
})
