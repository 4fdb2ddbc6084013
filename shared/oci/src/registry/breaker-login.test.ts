import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp } from '@carryall/http'
import { makeCertificates, type Seen } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import { sampleBlob, scriptedRegistry, startDockerRegistry, startTokenServer } from '../testing/index.ts'
import type { Credentials } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

const BLOB = sampleBlob('breaker')
const repository = ({ url }: Seen): string => /^\/v2\/(.*?)\/manifests\//.exec(url)?.[1] ?? ''

const as = (username: string, password: string): Credentials => ({
  find: async () => ({ username, password }),
  describe: () => '',
})

/** A registry that wants a password, which may be changed. */
async function withPassword(rights: (seen: Seen) => boolean) {
  let password = 'right'
  const scripted = await scriptedRegistry(
    (seen) => {
      const given = `Basic ${Buffer.from(`u:${password}`).toString('base64')}`
      if (seen.headers.authorization === given && rights(seen))
        return { status: seen.url === '/v2/' ? 200 : 404 }
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
    },
    { retry: { times: 0 } },
    { credentials: as('u', 'right'), breaker: {} },
  )
  return { ...scripted, change: () => (password = 'other') }
}

test('a password that is no longer taken ends everything', async () => {
  const { store, server, change } = await withPassword(() => true)
  expect(await store.head('a/x', 'v1')).toBeUndefined()
  change()
  await expect(store.head('a/x', 'v1')).rejects.toMatchObject({ code: 'LOGIN_FAILED', exit: 77 })
  const asked = server.requests.length
  await expect(store.head('b/y', 'v1')).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
  await expect(store.putBlob('c/z', BLOB.descriptor, BLOB.open)).rejects.toMatchObject({
    code: 'LOGIN_FAILED',
  })
  expect(server.requests).toHaveLength(asked)
})

test('a right that is missing is a matter of its repository', async () => {
  const { store } = await withPassword((seen) => !repository(seen).startsWith('theirs'))
  for (const name of ['theirs/x', 'theirs/y', 'theirs/z'])
    await expect(store.head(name, 'v1')).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  expect(await store.head('a/x', 'v1')).toBeUndefined()
})

test('nobody in particular who is not let in is let in elsewhere', async () => {
  const { store } = await scriptedRegistry(
    (seen) =>
      repository(seen) === 'open'
        ? { status: 404 }
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } },
    {},
    { breaker: {} },
  )
  for (const name of ['x', 'y', 'z'])
    await expect(store.head(name, 'v1')).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
  expect(await store.head('open', 'v1')).toBeUndefined()
})

/** A real docker-registry behind a token server with accounts that may be changed; `me` may do nothing with what is `theirs`. */
async function withTokens() {
  const directory = await mkdtemp(join(tmpdir(), 'breaker-'))
  const accounts: Record<string, string> = { me: 'secret' }
  const tokens = await startTokenServer({
    certificates: await makeCertificates(directory),
    accounts,
    grant: (_account, name) => !name.startsWith('theirs/'),
  })
  const { realm, service, issuer, rootcertbundle } = tokens
  const registry = await startDockerRegistry({ token: { realm, service, issuer, rootcertbundle } })
  const http = createHttp({ retry: { times: 0 } })
  onTestFinished(async () => {
    await http.close()
    await registry.stop()
    await tokens[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  const store = openRegistry(registry, { http, credentials: as('me', 'secret'), breaker: {} })
  return { store, tokens, accounts }
}

test('with tokens: missing rights are a matter of their repositories, a void password ends everything', async () => {
  const { store, tokens, accounts } = await withTokens()
  for (const name of ['theirs/x', 'theirs/y', 'theirs/z'])
    await expect(store.head(name, 'v1')).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  expect(await store.head('a/x', 'v1')).toBeUndefined()
  accounts.me = 'changed'
  await expect(store.head('b/y', 'v1')).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
  const asked = tokens.requests.length
  for (const name of ['a/x', 'b/y', 'c/z'])
    await expect(store.head(name, 'v1')).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
  expect(tokens.requests).toHaveLength(asked)
})
