import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { makeCertificates, type TestCertificates } from '@carryall/http/testing'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import {
  scriptedRegistry,
  pushSample,
  sampleBlob,
  sampleImage,
  startDockerRegistry,
  startTokenServer,
  type TokenServerOptions,
} from '../testing/index.ts'
import { ANONYMOUS, loadCredentials } from './credentials.ts'
import { openRegistry, type RegistryOptions } from './open-registry.ts'

let directory: string
let certificates: TestCertificates
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bearer-'))
  certificates = await makeCertificates(directory)
})
afterAll(() => rm(directory, { recursive: true }))

/** A real docker-registry behind a token server; `me` may do all, anonymous may pull. */
async function site(options: Partial<TokenServerOptions> = {}) {
  const grant: TokenServerOptions['grant'] = (account, _, action) => account === 'me' || action === 'pull'
  const tokens = await startTokenServer({ certificates, accounts: { me: 'secret' }, grant, ...options })
  const { realm, service, issuer, rootcertbundle } = tokens
  const registry = await startDockerRegistry({ token: { realm, service, issuer, rootcertbundle } })
  onTestFinished(async () => {
    await registry.stop()
    await tokens[Symbol.asyncDispose]()
  })
  const scopes = () =>
    tokens.requests.map((seen) => {
      const form =
        seen.method === 'POST'
          ? new URLSearchParams(seen.body.toString())
          : new URL(seen.url, 'http://x').searchParams
      return form.getAll('scope').join(' ')
    })
  return { registry, tokens, scopes }
}

async function login(host: string, entry: object) {
  const path = join(directory, `${host}.json`)
  await writeFile(path, JSON.stringify({ auths: { [host]: entry } }), { mode: 0o600 })
  return loadCredentials({ authfile: path, env: {} })
}

const me = (host: string, password = 'secret') =>
  login(host, { auth: Buffer.from(`me:${password}`).toString('base64') })

function open(host: string, credentials = ANONYMOUS, options: Partial<RegistryOptions> = {}) {
  const http = createHttp({ retry: { sleep: async () => {} } })
  onTestFinished(() => http.close())
  return openRegistry({ host }, { http, credentials, ...options })
}

test('one token per repository and rights, and no 401 but the first', async () => {
  const { registry, scopes } = await site()
  const store = open(registry.host, await me(registry.host))
  const image = sampleImage('tokens')
  await pushSample(store, 'a/b', image, 'v1')
  await pushSample(store, 'c', image, 'v1')
  await Promise.all([store.manifest('a/b', 'v1'), store.head('a/b', 'v1')])
  expect(scopes().toSorted()).toEqual([
    'repository:a/b:pull',
    'repository:a/b:pull,push',
    'repository:c:pull,push',
  ])
  await expect.poll(() => registry.requests().filter(({ status }) => status === 401)).toHaveLength(1)
})

test('a mount asks for both repositories', async () => {
  const { registry, scopes } = await site()
  const store = open(registry.host, await me(registry.host))
  const blob = sampleBlob('mounted')
  await store.putBlob('a', blob.descriptor, blob.open)
  expect(await store.putBlob('b', blob.descriptor, blob.open, { mountFrom: 'a' })).toBe('mounted')
  expect(scopes()).toContain('repository:b:pull,push repository:a:pull')
})

test('a mount from where we may not read becomes an upload', async () => {
  const { registry } = await site({ grant: (account, name) => account === 'me' && name === 'b' })
  const store = open(registry.host, await me(registry.host))
  const blob = sampleBlob('not mounted')
  expect(await store.putBlob('b', blob.descriptor, blob.open, { mountFrom: 'a' })).toBe('uploaded')
})

test('an identity token is used by OAuth2, also as the password of the user "<token>"', async () => {
  for (const entry of [
    { identitytoken: 'secret' },
    { auth: Buffer.from('<token>:secret').toString('base64') },
  ]) {
    const { registry, tokens } = await site()
    const store = open(registry.host, await login(registry.host, entry))
    await pushSample(store, 'a', sampleImage('oauth'), 'v1')
    expect(
      new Set(tokens.requests.map(({ method, headers }) => `${method} ${headers.authorization}`)),
    ).toEqual(new Set(['POST undefined']))
  }
})

test('anonymous where nobody is logged in; what that may not do is AUTH_REQUIRED', async () => {
  const { registry, tokens } = await site()
  const store = open(registry.host)
  expect(await store.head('a', 'v1')).toBeUndefined()
  const blob = sampleBlob('anonymous')
  await expect(store.putBlob('a', blob.descriptor, blob.open)).rejects.toMatchObject({
    code: 'AUTH_REQUIRED',
  })
  expect(tokens.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true)
})

test('fewer rights than asked for is AUTH_DENIED after one renewal', async () => {
  const { registry, scopes } = await site({ grant: (_, __, action) => action === 'pull' })
  const store = open(registry.host, await me(registry.host))
  const blob = sampleBlob('denied')
  await expect(store.putBlob('a', blob.descriptor, blob.open)).rejects.toMatchObject({
    code: 'AUTH_DENIED',
    exit: 77,
  })
  expect(scopes()).toEqual(['repository:a:pull,push', 'repository:a:pull,push'])
})

test('a wrong password is AUTH_DENIED and tried once', async () => {
  const { registry, tokens } = await site()
  const store = open(registry.host, await me(registry.host, 'wrong'))
  await expect(store.head('a', 'v1')).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  expect(tokens.requests).toHaveLength(1)
})

test('a token is renewed shortly before its end by a clock that never jumps', async () => {
  const { registry, scopes } = await site({ life: 60 })
  let now = 1e6
  const store = open(registry.host, ANONYMOUS, { monotonic: () => now })
  await store.head('a', 'v1')
  now += 49_000
  await store.head('a', 'v1')
  expect(scopes()).toHaveLength(1)
  now += 2000
  await store.head('a', 'v1')
  expect(scopes()).toHaveLength(2)
})

test('many requests at once share one token', async () => {
  const { registry, tokens } = await site()
  const store = open(registry.host)
  await Promise.all(Array.from({ length: 10 }, (_, index) => store.head('a', `v${index}`)))
  expect(tokens.requests).toHaveLength(1)
})

test('the catalog has a scope of its own', async () => {
  const { registry, scopes } = await site()
  const store = open(registry.host, await me(registry.host))
  expect(await Array.fromAsync(store.repositories())).toEqual([])
  expect(scopes()).toEqual(['registry:catalog:*'])
})

test('a token server elsewhere has to be allowed by name', async () => {
  const { registry, tokens } = await site({ address: '127.0.0.2' })
  const credentials = await me(registry.host)
  await expect(open(registry.host, credentials).head('a', 'v1')).rejects.toMatchObject({
    code: 'NET_ORIGIN_REFUSED',
  })
  expect(tokens.requests).toEqual([])
  const store = open(registry.host, credentials, { allowedRealms: ['127.0.0.2'] })
  expect(await store.head('a', 'v1')).toBeUndefined()
})

test('a scope that the registry announces is asked for, too; a catalog without one where it is refused', async () => {
  const scopes: string[] = []
  const { store } = await scriptedRegistry(({ url, headers }) => {
    const own = `http://${headers.host}`
    const asked = new URL(url, own).searchParams.getAll('scope').join(' ')
    if (url.startsWith('/token')) {
      scopes.push(asked)
      return asked.includes('registry:')
        ? { status: 400 }
        : { status: 200, body: JSON.stringify({ access_token: `for ${asked}`.replaceAll(' ', '_') }) }
    }
    const scope = url.includes('/tags/') ? ',scope="repository:team/a:pull"' : ''
    const challenge = { status: 401, headers: { 'www-authenticate': `Bearer realm="${own}/token"${scope}` } }
    if (url.includes('/tags/'))
      return headers.authorization?.includes('team/a') ? { status: 200, body: '{"tags":["v1"]}' } : challenge
    if (url.includes('_catalog') && headers.authorization)
      return { status: 200, body: '{"repositories":["a"]}' }
    return challenge
  })
  expect(await Array.fromAsync(store.tags('a'))).toEqual(['v1'])
  expect(await Array.fromAsync(store.tags('a'))).toEqual(['v1'])
  expect(scopes).toEqual(['repository:a:pull', 'repository:a:pull repository:team/a:pull'])
  expect(await Array.fromAsync(store.repositories())).toEqual(['a'])
  expect(scopes.slice(2)).toEqual(['registry:catalog:*', ''])
})
