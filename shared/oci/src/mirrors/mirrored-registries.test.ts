import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@carryall/http/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fetchBlob } from '../fetch-blob.ts'
import { openRegistries, type Registries, type RegistriesOptions } from '../registries.ts'
import {
  type DockerRegistry,
  pushSample,
  sampleArtifact,
  sampleImage,
  startDockerRegistry,
} from '../testing/index.ts'

const DEAD = '127.0.0.1:1'
const image = sampleImage('everywhere')
const own = sampleImage('at the registry only')
const signature = sampleArtifact('a signature', image.descriptor)

let registry: DockerRegistry
let mirror: DockerRegistry
let directory: string
let said: string[]
let warned: string[]
let opened: Registries[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirrored-'))
  registry = await startDockerRegistry()
  mirror = await startDockerRegistry()
  const stores = await open()
  await pushSample(stores.registry(registry.host), 'team/app', image, 'v1')
  await pushSample(stores.registry(registry.host), 'team/app', own, 'v2')
  await pushSample(stores.registry(registry.host), 'team/app', signature)
  await pushSample(stores.registry(mirror.host), 'copy/app', image, 'v1')
  await stores.close()
})
afterAll(async () => {
  await registry.stop()
  await mirror.stop()
  await rm(directory, { recursive: true })
})
beforeEach(() => {
  said = []
  warned = []
  opened = []
})
afterEach(async () => {
  for (const each of opened) await each.close()
})

async function open(options: Partial<RegistriesOptions> = {}): Promise<Registries> {
  const opening = await openRegistries({
    env: {},
    userAgent: 'test',
    tlsVerify: true,
    plainHttp: [],
    allowedRealms: [],
    retry: { times: 0 },
    debug: (message) => said.push(message),
    warn: (message) => warned.push(message),
    ...options,
  })
  opened?.push(opening)
  return opening
}

/** `logical.example/team` is kept at `location`, and stood in for by `mirrors`. */
async function conf(location: string, ...mirrors: readonly string[]) {
  const file = join(directory, 'registries.conf')
  const tables = mirrors.map(
    (each) => `[[registry.mirror]]\n${each.includes('=') ? each : `location = "${each}"`}\n`,
  )
  await writeFile(
    file,
    `[[registry]]\nprefix = "logical.example/team"\nlocation = "${location}"\n${tables.join('')}`,
  )
  return { mirrors: { file } }
}

/** What `host` was asked while `work` ran. */
async function asked(host: DockerRegistry, work: () => Promise<unknown>): Promise<number> {
  const before = host.requests().length
  await work()
  // Its log comes by a pipe.
  await new Promise((resolve) => setTimeout(resolve, 100))
  return host.requests().length - before
}

const pull = async (stores: Registries, tag = 'v1', sample = image) => {
  const source = stores.registry('logical.example')
  const head = await source.head('team/app', tag)
  expect(head?.digest).toBe(sample.descriptor.digest)
  const manifest = await source.manifest('team/app', head!.digest)
  expect(manifest.bytes).toEqual(sample.manifest.bytes)
  for (const blob of sample.blobs) {
    const chunks: Buffer[] = []
    for await (const chunk of fetchBlob(source, 'team/app', blob.descriptor, { retry: stores.retry }))
      chunks.push(Buffer.from(chunk))
    expect(Buffer.concat(chunks)).toEqual(blob.bytes)
  }
}

test('a mirror that has all of it is the only one that is asked, and -v says so once', async () => {
  const stores = await open(await conf(`${registry.host}/team`, `${mirror.host}/copy`))
  expect(await asked(registry, () => pull(stores))).toBe(0)
  expect(said).toEqual([`logical.example/team/app is read from the mirror ${mirror.host}/copy/app`])
})

test('what the mirrors lack, or cannot serve, comes from the registry', async () => {
  const stores = await open(await conf(`${registry.host}/team`, `${DEAD}/x`, `${mirror.host}/copy`))
  await pull(stores)
  await pull(stores, 'v2', own)
  // It was not reachable once; there is no use in asking again and again.
  expect(said.filter((line) => line.includes(DEAD))).toHaveLength(1)
  expect(warned).toEqual([])
})

test('a registry that cannot be reached does not matter where a mirror has it', async () => {
  const stores = await open(await conf(`${DEAD}/team`, `${mirror.host}/copy`))
  await pull(stores)
  const source = stores.registry('logical.example')
  expect(await Array.fromAsync(source.tags('team/app'))).toEqual(['v1'])
  expect(await source.referrers('team/app', image.descriptor.digest)).toEqual([])
  // The mirror's list may be a part of all.
  expect(warned).toHaveLength(1)
  await expect(source.head('team/app', 'v2')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  await expect(source.manifest('team/app', 'v2')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
})

test('tags and what is attached are those of the registry', async () => {
  const stores = await open(await conf(`${registry.host}/team`, `${mirror.host}/copy`))
  const source = stores.registry('logical.example')
  expect((await Array.fromAsync(source.tags('team/app'))).toSorted()).toContain('v2')
  expect(await source.referrers('team/app', image.descriptor.digest)).toMatchObject([
    { digest: signature.descriptor.digest },
  ])
  expect(warned).toEqual([])
})

test('what is nowhere is the registry’s to say', async () => {
  const stores = await open(await conf(`${registry.host}/team`, `${mirror.host}/copy`))
  const source = stores.registry('logical.example')
  expect(await source.head('team/app', 'v9')).toBeUndefined()
  await expect(source.manifest('team/app', 'v9')).rejects.toMatchObject({ code: 'REG_MANIFEST_UNKNOWN' })
  const { descriptor } = sampleImage('nowhere').blobs[0]!
  await expect(Array.fromAsync(source.blob('team/app', descriptor))).rejects.toMatchObject({
    code: 'REG_BLOB_UNKNOWN',
  })
})

test('a mirror for digests is not asked for tags', async () => {
  const digests = `location = "${mirror.host}/copy"\npull-from-mirror = "digest-only"`
  const stores = await open(await conf(`${registry.host}/team`, digests))
  const source = stores.registry('logical.example')
  expect(await asked(mirror, () => source.head('team/app', 'v1'))).toBe(0)
  expect(await asked(registry, () => source.manifest('team/app', image.descriptor.digest))).toBe(0)
})

test('a name that no entry is about is read where it says; writing is not rewritten', async () => {
  const stores = await open(await conf(`${registry.host}/team`, `${mirror.host}/copy`))
  const source = stores.registry(registry.host)
  expect((await source.head('team/app', 'v2'))?.digest).toBe(own.descriptor.digest)
  await pushSample(source, 'other', image, 'v1')
  expect(await source.head('other', 'v1')).toBeDefined()
})

test('what is blocked is not read', async () => {
  const file = join(directory, 'blocked.conf')
  await writeFile(file, `[[registry]]\nlocation = "${registry.host}/team"\nblocked = true\n`)
  const source = (await open({ mirrors: { file } })).registry(registry.host)
  const refused = { code: 'REG_BLOCKED' }
  await expect(source.head('team/app', 'v1')).rejects.toMatchObject(refused)
  await expect(source.manifest('team/app', 'v1')).rejects.toMatchObject(refused)
  await expect(Array.fromAsync(source.tags('team/app'))).rejects.toMatchObject(refused)
  await expect(Array.fromAsync(source.blob('team/app', image.blobs[0]!.descriptor))).rejects.toMatchObject(
    refused,
  )
})

test('insecure = true alone weakens nothing, and a warning says what would', async () => {
  await using secure = await startDockerRegistry({ tls: true })
  const untrusted = `location = "${secure.host}/copy"\ninsecure = true`
  const options = await conf(`${registry.host}/team`, untrusted)
  await pull(await open(options))
  expect(warned).toEqual([expect.stringContaining('--src-tls-verify=false')])
  const weak = await open({ ...options, tlsVerify: false })
  await pushSample(weak.registry(secure.host), 'copy/app', image, 'v1')
  expect(await asked(registry, () => pull(weak))).toBe(0)
})

test('credentials are those of the place that is asked', async () => {
  await using guarded = await startDockerRegistry({ auth: { username: 'me', password: 'word' } })
  const authfile = join(directory, 'auth.json')
  const auth = Buffer.from('me:word').toString('base64')
  await writeFile(authfile, JSON.stringify({ auths: { [guarded.host]: { auth } } }), { mode: 0o600 })
  const filled = await open({ authfile })
  await pushSample(filled.registry(guarded.host), 'copy/app', image, 'v1')
  const options = await conf(`${registry.host}/team`, `${guarded.host}/copy`)
  expect(await asked(registry, async () => pull(await open({ ...options, authfile })))).toBe(0)
  // A password for the name is none for the place.
  const hosts = { 'logical.example': { username: 'me', password: 'word' } }
  expect(await asked(registry, async () => pull(await open({ ...options, hosts })))).toBeGreaterThan(0)
})

test('a blob that breaks off at a mirror is taken up at the registry', async () => {
  const { descriptor, bytes } = sampleImage('broken', { layers: [200_000] }).blobs[1]!
  await using half = await startServer(({ url }, response) => {
    if (!url.includes('/blobs/')) return void response.writeHead(url === '/v2/' ? 200 : 404).end()
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 100_000), () => response.destroy())
  })
  const stores = await open({
    ...(await conf(`${registry.host}/team`, `${half.host}/copy`)),
    retry: { times: 2, sleep: async () => {} },
  })
  await stores.registry(registry.host).putBlob('team/app', descriptor, async function* () {
    yield bytes
  })
  const source = stores.registry('logical.example')
  const chunks: Buffer[] = []
  for await (const chunk of fetchBlob(source, 'team/app', descriptor, { retry: stores.retry }))
    chunks.push(Buffer.from(chunk))
  expect(Buffer.concat(chunks)).toEqual(bytes)
  expect(half.requests.filter(({ url }) => url.includes('/blobs/'))).toHaveLength(1)
})
