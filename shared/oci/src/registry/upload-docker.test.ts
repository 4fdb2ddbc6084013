import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHttp } from '@carryall/http'
import { startCuttingProxy } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import type { OpenBlob } from '../store.ts'
import {
  type DockerRegistryOptions,
  type SampleBlob,
  sampleBlob,
  startDockerRegistry,
} from '../testing/index.ts'
import { connection } from './connection.ts'
import { ANONYMOUS } from './credentials.ts'
import { getBlob } from './get-blob.ts'
import { blobUploads, type UploadOptions } from './put-blob.ts'

const MIB = 1 << 20
const BLOB = sampleBlob({ seed: 'docker', size: 9 * MIB + 12_345 })
const { size } = BLOB.descriptor
// Heads of the requests of an upload, and what was written to a connection that did not come about.
const HEADS = 100_000

const reader = ({ bytes }: SampleBlob) =>
  async function* (offset = 0) {
    for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
  }

/** A docker-registry 2.8 behind a proxy that cuts connections. */
async function started(options: DockerRegistryOptions = {}, uploads: UploadOptions = {}) {
  const storage = await mkdtemp(join(tmpdir(), 'upload-docker-'))
  let registry = await startDockerRegistry({ ...options, storage })
  const { port } = registry
  const proxy = await startCuttingProxy(port)
  const retry = { times: 8, delayMs: 200, sleep: (ms: number) => sleep(ms) }
  const http = createHttp({ retry })
  onTestFinished(async () => {
    await http.close()
    await proxy[Symbol.asyncDispose]()
    await registry.stop()
    await rm(storage, { recursive: true })
  })
  const monotonic = () => performance.now()
  const to = connection({ host: proxy.host }, { http, credentials: ANONYMOUS, allowedRealms: [], monotonic })
  const putBlob = blobUploads(to, uploads)
  const bodies = () => proxy.connections.filter(({ request }) => /^(?:PUT|PATCH) /.test(request))
  return {
    bodies,
    /** Cuts connections that bring bytes, the first of them being number 1. */
    cut: (after: (count: number) => ReturnType<typeof proxy.cut>) => {
      proxy.cut = (connection) => (bodies().includes(connection) ? after(bodies().length) : undefined)
    },
    /** Bytes that reached the registry on connections that brought some of the blob. */
    wire: () => bodies().reduce((sum, { sent }) => sum + sent, 0),
    put: (blob = BLOB, open: OpenBlob = reader(blob)) =>
      putBlob('a', blob.descriptor, open, { seekable: true }),
    stored: async ({ descriptor, bytes } = BLOB) => {
      const chunks = await Array.fromAsync(getBlob(to, 'a', descriptor), (chunk) => Buffer.from(chunk))
      return Buffer.concat(chunks).equals(bytes)
    },
    kill: () => registry.stop(),
    restart: async () => {
      registry = await startDockerRegistry({ ...options, port, storage })
    },
  }
}

// docker-registry signs the offset into the location. After a request that broke off it has more than that, and forgets all
// of it when it is asked: there is nothing that could be gone on with.
test.each([[100], [MIB], [5 * MIB], [size - 1]])(
  'cut at byte %i, it gets the blob anew, and no more than that',
  async (after) => {
    const { cut, put, stored, wire, bodies } = await started()
    cut((count) => (count === 1 ? after : undefined))
    expect(await put()).toBe('uploaded')
    expect(await stored()).toBe(true)
    expect(bodies().map((body) => body.cut)).toEqual([true, false])
    expect(wire()).toBeGreaterThan(after + size)
    expect(wire()).toBeLessThan(after + size + HEADS)
  },
)

test.each([false, true])(
  'cut before its answer, the blob is found where it is, and nothing is sent again (relative: %s)',
  async (relativeUrls) => {
    const { cut, put, stored, wire } = await started({ relativeUrls })
    cut((count) => (count === 1 ? 'reply' : undefined))
    expect(await put()).toBe('uploaded')
    expect(await stored()).toBe(true)
    expect(wire()).toBeLessThan(size + HEADS)
  },
)

test.each([false, true])(
  'a limit for single requests is found out, and the blob goes in pieces (relative: %s)',
  async (relativeUrls) => {
    let now = 0
    const monotonic = () => (now += 60_000)
    const { cut, put, stored, wire, bodies } = await started(
      { relativeUrls },
      { monotonic, chunkBytes: 5 * MIB },
    )
    const blob = sampleBlob({ seed: 'pieces', size: 20 * MIB })
    cut(() => 12 * MIB)
    expect(await put(blob)).toBe('uploaded')
    expect(await stored(blob)).toBe(true)
    expect(bodies().map((body) => body.cut)).toEqual([true, true, false, false, false, false])
    expect(wire()).toBeLessThan((2 * 12 + 20) * MIB + HEADS)
  },
)

test.each([
  ['with the same secret goes on where it was', false, 0],
  ['with another secret after that begins anew', true, 4 * MIB],
] as const)('killed between two pieces, a registry %s', async (_what, ownSecret, twice) => {
  let now = 0
  const monotonic = () => (now += 60_000)
  const { cut, put, stored, wire, kill, restart } = await started(
    { ownSecret },
    { monotonic, chunkBytes: MIB },
  )
  // It is to be known as one that wants pieces.
  cut((count) => (count <= 2 ? 2 * MIB : undefined))
  await put(sampleBlob({ seed: 'lesson', size: 20 * MIB }))
  const before = wire()
  const opened: number[] = []
  const open: OpenBlob = async function* (offset = 0) {
    opened.push(offset)
    if (offset === 4 * MIB && opened.length < 6) {
      await kill()
      setTimeout(() => void restart(), 300)
    }
    yield* reader(BLOB)(offset)
  }
  expect(await put(BLOB, open)).toBe('uploaded')
  expect(await stored()).toBe(true)
  const pieces = Array.from({ length: 10 }, (_, index) => index * MIB)
  expect(opened).toEqual([...pieces.slice(0, 5), ...(ownSecret ? pieces : pieces.slice(4))])
  expect(wire() - before).toBeLessThan(size + twice + HEADS)
})

test('killed in the middle of a request, a registry gets the blob anew', async () => {
  const { put, stored, wire, kill, restart } = await started()
  let killed = false
  const open: OpenBlob = async function* (offset = 0) {
    let at = offset
    for await (const chunk of reader(BLOB)(offset)) {
      if (at >= 4 * MIB && !killed) {
        killed = true
        await kill()
        setTimeout(() => void restart(), 300)
      }
      yield chunk
      at += chunk.length
    }
  }
  expect(await put(BLOB, open)).toBe('uploaded')
  expect(await stored()).toBe(true)
  expect(wire()).toBeLessThan(5 * MIB + size + HEADS)
})
