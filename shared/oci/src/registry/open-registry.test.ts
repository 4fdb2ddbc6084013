import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createHttp, type HttpOptions } from '@carryall/http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { storeSuite } from '../store-suite.ts'
import {
  type DockerRegistry,
  pushSample,
  sampleBlob,
  sampleImage,
  sampleIndex,
  startDockerRegistry,
} from '../testing/index.ts'
import { hostCertificates } from './certificates.ts'
import { ANONYMOUS, type Credentials, loadCredentials } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

const run = promisify(execFile)

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'open-registry-'))
})
afterAll(() => rm(directory, { recursive: true }))

function open(
  { host }: { readonly host: string },
  credentials: Credentials = ANONYMOUS,
  options: HttpOptions = {},
) {
  const http = createHttp({ ...options, retry: { sleep: async () => {}, ...options.retry } })
  return { store: openRegistry({ host }, { http, credentials }), close: () => http.close() }
}

async function login(host: string, username: string, password: string): Promise<Credentials> {
  const authfile = join(directory, `${host}.json`)
  await run('skopeo', [
    'login',
    '--tls-verify=false',
    '--authfile',
    authfile,
    '-u',
    username,
    '-p',
    password,
    host,
  ])
  return loadCredentials({ authfile, env: {} })
}

storeSuite('docker-registry, plain http', async () => {
  const registry = await startDockerRegistry()
  const { store, close } = open(registry)
  return { store, close: () => close().then(() => registry.stop()) }
})

describe('docker-registry with a password and TLS', () => {
  let registry: DockerRegistry
  beforeAll(async () => {
    registry = await startDockerRegistry({
      auth: { username: 'me', password: 'pass:wörd' },
      tls: 'clients',
      relativeUrls: true,
    })
    const host = join(directory, 'certs.d', registry.host)
    await run('mkdir', ['-p', host])
    const { ca, clientCert, clientKey } = registry.certificates!
    await run('cp', [ca, join(host, 'ca.crt')])
    await run('cp', [clientCert, join(host, 'client.cert')])
    await run('cp', [clientKey, join(host, 'client.key')])
  })
  afterAll(() => registry.stop())

  const tls = () => hostCertificates({ env: {}, directories: [join(directory, 'certs.d')] })
  const authfile = async (password: string) => {
    const path = join(directory, 'auth.json')
    const auth = Buffer.from(`me:${password}`).toString('base64')
    await writeFile(path, JSON.stringify({ auths: { [registry.host]: { auth } } }), { mode: 0o600 })
    return loadCredentials({ authfile: path, env: {} })
  }

  test('the files of certs.d and the login let us in', async () => {
    const { store, close } = open(registry, await authfile('pass:wörd'), { tls: tls() })
    onTestFinished(close)
    const image = sampleImage('behind a door')
    await pushSample(store, 'a/b', image, 'v1')
    expect(await store.manifest('a/b', 'v1')).toEqual(image.manifest)
  })

  test('no login is AUTH_REQUIRED, a wrong one AUTH_DENIED, both naming the file', async () => {
    const none = open(registry, await loadCredentials({ env: { XDG_RUNTIME_DIR: directory } }), {
      tls: tls(),
    })
    onTestFinished(none.close)
    const hint = expect.stringContaining(join(directory, 'containers/auth.json'))
    await expect(none.store.head('a/b', 'v1')).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      exit: 77,
      details: { hint },
    })
    const wrong = open(registry, await authfile('wrong'), { tls: tls() })
    onTestFinished(wrong.close)
    const named = expect.stringContaining(join(directory, 'auth.json'))
    await expect(wrong.store.head('a/b', 'v1')).rejects.toMatchObject({
      code: 'AUTH_DENIED',
      details: { hint: named },
    })
    await expect(wrong.store.putManifest('a/b', 'v1', sampleImage('x').manifest)).rejects.toMatchObject({
      code: 'AUTH_DENIED',
    })
  })

  test('without its authority it is NET_TLS, without our certificate no connection', async () => {
    const codes = []
    for (const verify of [true, false]) {
      const { store, close } = open(registry, ANONYMOUS, { tls: () => ({ verify }), retry: { times: 0 } })
      onTestFinished(close)
      codes.push(await store.head('a/b', 'v1').catch((error: { code: string }) => error.code))
    }
    expect(codes).toEqual(['NET_TLS', 'NET_UNAVAILABLE'])
  })
})

test('what skopeo logged in to and pushed is read, and what we push skopeo reads byte for byte', async () => {
  await using registry = await startDockerRegistry({ auth: { username: 'me', password: 'secret' } })
  const { store, close } = open(registry, await login(registry.host, 'me', 'secret'))
  onTestFinished(close)
  const index = sampleIndex([sampleImage('one'), sampleImage('two', { architecture: 'arm64' })])
  await pushSample(store, 'a/b', index, 'v1')
  const skopeo = (...args: string[]) =>
    run('skopeo', [...args, '--authfile', join(directory, `${registry.host}.json`)])
  const { stdout } = await skopeo(
    'inspect',
    '--raw',
    '--tls-verify=false',
    `docker://${registry.host}/a/b:v1`,
  )
  expect(Buffer.from(stdout).equals(index.manifest.bytes)).toBe(true)
  const ends = [
    '--src-tls-verify=false',
    '--dest-tls-verify=false',
    `docker://${registry.host}/a/b:v1`,
    `docker://${registry.host}/c:copy`,
  ]
  await skopeo('copy', '--all', ...ends)
  expect((await store.manifest('c', 'copy')).digest).toBe(index.manifest.digest)
  expect(await store.head('c', 'copy')).toMatchObject(index.descriptor)
})

test('a blob that is there costs one request, a mount one, an upload two', async () => {
  await using registry = await startDockerRegistry()
  const { store, close } = open(registry)
  onTestFinished(close)
  const blob = sampleBlob({ seed: 'requests', size: 400_000 })
  const put = (repository: string, options = {}) =>
    store.putBlob(repository, blob.descriptor, blob.open, options)
  expect([await put('a'), await put('a'), await put('b', { mountFrom: 'a' })]).toEqual([
    'uploaded',
    'present',
    'mounted',
  ])
  await expect
    .poll(() => registry.requests().map(({ method, status }) => `${method} ${status}`))
    .toEqual(['GET 200', 'POST 202', 'PUT 201', 'POST 201', 'POST 201'])
})

test('a registry that was killed and started again in the middle of an upload gets it whole', async () => {
  const first = await startDockerRegistry({ storage: join(directory, 'killed') })
  let second: DockerRegistry | undefined
  const { store, close } = open(first, ANONYMOUS, {
    retry: { sleep: (ms) => new Promise((done) => setTimeout(done, ms / 10)) },
  })
  onTestFinished(() => close())
  const blob = sampleBlob({ seed: 'killed', size: 8 << 20 })
  let opened = 0
  async function* source() {
    opened += 1
    let sent = 0
    for await (const chunk of blob.open()) {
      yield chunk
      sent += chunk.length
      if (opened === 1 && sent >= blob.bytes.length / 2 && !second) {
        await first.stop()
        second = await startDockerRegistry({ storage: first.storage, port: first.port })
      }
    }
  }
  expect(await store.putBlob('a', blob.descriptor, source)).toBe('uploaded')
  expect(opened).toBe(2)
  const read: Buffer[] = []
  for await (const chunk of store.blob('a', blob.descriptor)) read.push(Buffer.from(chunk))
  expect(Buffer.concat(read).equals(blob.bytes)).toBe(true)
  await second!.stop()
})

test('a read-only registry refuses with its reason', async () => {
  await using registry = await startDockerRegistry({ readOnly: true })
  const { store, close } = open(registry)
  onTestFinished(close)
  const blob = sampleBlob('read-only')
  await expect(store.putBlob('a', blob.descriptor, blob.open)).rejects.toMatchObject({
    code: 'REG_REFUSED',
    details: { actual: 405 },
  })
  await expect(store.putManifest('a', 'v1', sampleImage('x').manifest)).rejects.toMatchObject({
    code: 'REG_REFUSED',
    exit: 69,
  })
})

test('a manifest with a missing layer is refused with the registry’s own code', async () => {
  await using registry = await startDockerRegistry()
  const { store, close } = open(registry)
  onTestFinished(close)
  await expect(store.putManifest('a', 'v1', sampleImage('missing').manifest)).rejects.toMatchObject({
    code: 'REG_REFUSED',
    details: {
      actual: expect.stringMatching(/^(MANIFEST_BLOB_UNKNOWN|MANIFEST_INVALID)$/),
      subject: { kind: 'tag', name: `${registry.host}/a:v1` },
    },
  })
})

test('a catalog of several pages, each smaller than what is asked for, is whole', async () => {
  await using registry = await startDockerRegistry({ catalogMax: 3 })
  const { store, close } = open(registry)
  onTestFinished(close)
  const image = sampleImage('pages')
  const names = Array.from({ length: 8 }, (_, index) => `r${index}`)
  for (const name of names) await pushSample(store, name, image, 'v1')
  expect(await Array.fromAsync(store.repositories())).toEqual(names)
  const pages = () => registry.requests().filter(({ path }) => path.startsWith('/v2/_catalog'))
  await expect.poll(() => pages().map(({ status }) => status)).toEqual([400, 200, 200, 200])
})
