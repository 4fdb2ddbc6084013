import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { openRegistries, type RegistriesOptions } from './registries.ts'
import { type DockerRegistry, startDockerRegistry } from './testing/index.ts'

let directory: string
let registry: DockerRegistry
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'registries-'))
  registry = await startDockerRegistry({ tls: 'clients' })
  await chmod(registry.certificates!.clientKey, 0o600)
})
afterAll(async () => {
  await registry.stop()
  await rm(directory, { recursive: true })
})

async function open(options: Partial<RegistriesOptions> = {}) {
  const opened = await openRegistries({
    env: { HOME: directory },
    userAgent: 'test',
    tlsVerify: true,
    plainHttp: [],
    allowedRealms: [],
    retry: { times: 0 },
    ...options,
  })
  onTestFinished(() => opened.close())
  return opened
}

/** A proxy that tunnels whatever it is asked for to the registry. */
async function startTunnel() {
  const asked: string[] = []
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url!)
    const up = connect(registry.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      up.pipe(socket).pipe(up)
    })
    for (const end of [up, socket]) end.on('error', () => end.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return { asked, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` }
}

const client = () => {
  const { clientCert, clientKey } = registry.certificates!
  return { clientCert, clientKey }
}

test('a client certificate and an authority of one registry', async () => {
  const { ca } = registry.certificates!
  const { registry: named } = await open({ hosts: { [registry.host]: { ...client(), caFile: ca } } })
  expect(await named(registry.host).head('app', 'v1')).toBeUndefined()
  const { registry: other } = await open({ caFile: ca, hosts: { 'other.example': client() } })
  await expect(other(registry.host).head('app', 'v1')).rejects.toMatchObject({
    code: expect.stringMatching(/^NET_/) as string,
  })
})

test('a part of a SyncConfig says the same by its own files', async () => {
  const { ca, clientCert, clientKey } = registry.certificates!
  for (const [name, path] of Object.entries({ 'ca.pem': ca, 'c.pem': clientCert, 'k.pem': clientKey }))
    await writeFile(join(directory, name), await readFile(path), { mode: 0o600 })
  await writeFile(join(directory, 'token'), 'a token\n', { mode: 0o600 })
  await writeFile(join(directory, 'password'), 'word\n', { mode: 0o600 })
  const settings = {
    [registry.host]: {
      username: 'me',
      password_file: 'password',
      api_token_file: 'token',
      ca_file: 'ca.pem',
      client_cert: 'c.pem',
      client_key: 'k.pem',
    },
  }
  const stores = await open({ registries: { settings, directory } })
  expect(await stores.registry(registry.host).head('app', 'v1')).toBeUndefined()
  expect(await stores.credential(registry.host, 'app')).toEqual({ username: 'me', password: 'word' })
  expect(await stores.apiToken(registry.host)).toBe('a token')
  expect(await stores.credential('other.example')).toBeUndefined()
  expect(await stores.apiToken('other.example')).toBeUndefined()
})

test('certificates are those of the registry behind a proxy', async () => {
  const proxy = await startTunnel()
  const env = { HOME: directory, https_proxy: proxy.url }
  const code = async (options: Partial<RegistriesOptions>) => {
    const { registry: named } = await open({ env, ...options })
    return named('behind.example:5000')
      .head('app', 'v1')
      .catch((error: { readonly details: { readonly actual?: unknown } }) => error.details.actual)
  }
  const hosts = { 'behind.example:5000': client() }
  // The name is another one than that in the certificate, which is looked at only if its authority is known.
  expect(await code({ hosts, caFile: registry.certificates!.ca })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(await code({ hosts })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  expect(await code({ hosts, tlsVerify: false })).toBeUndefined()
  expect(new Set(proxy.asked)).toEqual(new Set(['behind.example:5000']))
})

test('NO_PROXY keeps a registry from the proxy', async () => {
  const proxy = await startTunnel()
  const env = { https_proxy: proxy.url, no_proxy: '.nowhere.example' }
  const { registry: named } = await open({ env, tlsVerify: false })
  await expect(named('r.nowhere.example').head('app', 'v1')).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
  })
  expect(proxy.asked).toEqual([])
})
