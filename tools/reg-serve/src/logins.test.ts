import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout, type LayoutStore } from '@carryall/oci'
import { pushSample, sampleImage } from '@carryall/oci/testing'
import { hashSync } from 'bcryptjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Logins } from './login/logins.ts'
import { serve, type ServeOptions, type Served, type Serving } from './serve.ts'

const users = new Map([['alice', hashSync('se:crét', 4)]])
const RIGHT = basic('alice:se:crét')

let directory: string
let store: LayoutStore
let server: Serving
let served: Served[]

const start = async (options: Partial<ServeOptions> = {}) => {
  await server?.close()
  server = await serve(store, {
    host: '127.0.0.1',
    port: 0,
    logins: new Logins(users),
    onServed: (line) => served.push(line),
    ...options,
  })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  served = []
  store = await openLayout(join(directory, 'layout'), { write: true })
  await pushSample(store, 'app', sampleImage('there'), 'v1')
  await start()
})
afterEach(async () => {
  await server.close()
  await store.close()
  await rm(directory, { recursive: true })
})

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`
}

async function ask(method: string, path: string, authorization?: string) {
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: authorization === undefined ? {} : { authorization },
  })
  const challenge = response.headers.get('www-authenticate')
  const text = await response.text()
  const code = text.includes('errors')
    ? (JSON.parse(text) as { errors: { code: string }[] }).errors[0]?.code
    : undefined
  return { status: response.status, challenge, code, headers: response.headers }
}

const REQUESTS = [
  ['GET', '/v2/'],
  ['GET', '/v2/_catalog'],
  ['GET', '/v2/app/tags/list'],
  ['GET', '/v2/app/manifests/v1'],
  ['POST', '/v2/app/blobs/uploads/'],
  ['DELETE', '/v2/app/manifests/none'],
] as const

test('nothing without a login, and how to log in', async () => {
  for (const [method, path] of [...REQUESTS, ['GET', '/nothing/here'] as const]) {
    const { status, challenge, code } = await ask(method, path)
    expect([status, challenge, code]).toEqual([401, 'Basic realm="reg-serve"', 'UNAUTHORIZED'])
  }
})

test('everything with one; the access log says who', async () => {
  const statuses = []
  for (const [method, path] of REQUESTS) statuses.push((await ask(method, path, RIGHT)).status)
  expect(statuses).toEqual([200, 200, 200, 200, 202, 404])
  expect(served.map((line) => line.user)).toEqual(REQUESTS.map(() => 'alice'))
  expect(served[0]).toMatchObject({ client: '127.0.0.1' })
})

test.each([
  ['a wrong password', basic('alice:secret')],
  ['a wrong user', basic('bob:se:crét')],
  ['no colon', basic('alice')],
  ['an empty login', basic(':')],
  ['no base64', 'Basic ***'],
  ['another scheme', 'Bearer abc'],
  ['nothing', ''],
])('%s is refused', async (_what, authorization) => {
  expect(await ask('GET', '/v2/', authorization)).toMatchObject({
    status: 401,
    challenge: 'Basic realm="reg-serve"',
    code: 'UNAUTHORIZED',
  })
})

test('pulls without a login where that is allowed: pushes are not, and a wrong login is one', async () => {
  await start({ anonymousPull: true })
  for (const authorization of [undefined, basic(':')]) {
    const statuses = []
    for (const [method, path] of REQUESTS) statuses.push((await ask(method, path, authorization)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 401, 401])
  }
  // So clients that ask once and remember do log in when they push.
  expect((await ask('GET', '/v2/')).challenge).toBe('Basic realm="reg-serve"')
  expect((await ask('GET', '/v2/', RIGHT)).challenge).toBeNull()
  expect((await ask('GET', '/v2/app/manifests/v1', basic('alice:wrong'))).status).toBe(401)
  expect((await ask('POST', '/v2/app/blobs/uploads/', RIGHT)).status).toBe(202)
})

test('a client that guesses is told to wait, and the log tells of each guess', async () => {
  for (let each = 0; each < 10; each++)
    expect((await ask('GET', '/v2/', basic(`alice:${each}`))).status).toBe(401)
  const refused = await ask('GET', '/v2/', basic('alice:more'))
  expect([refused.status, refused.code, refused.headers.get('retry-after')]).toEqual([
    429,
    'TOOMANYREQUESTS',
    '6',
  ])
  expect(served.filter((line) => line.loginRefused)).toHaveLength(11)
  await ask('GET', '/v2/')
  expect(served.filter((line) => line.loginRefused)).toHaveLength(11)
})

test('pushes that are refused for all are refused before anybody logs in', async () => {
  await start({ readOnly: 'No pushes here', anonymousPull: true })
  const response = await fetch(new URL('/v2/app/blobs/uploads/', server.url), { method: 'POST' })
  expect([response.status, await response.json()]).toEqual([
    405,
    { errors: [{ code: 'UNSUPPORTED', message: 'No pushes here' }] },
  ])
})
