import { setTimeout as sleep } from 'node:timers/promises'
import { createHttp } from '@carryall/http'
import { startServer } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import type { PutBlobOptions } from '../store.ts'
import {
  type SampleBlob,
  sampleBlob,
  startUploadRegistry,
  type UploadRegistry,
  type UploadRegistryOptions,
} from '../testing/index.ts'
import { connection } from './connection.ts'
import { ANONYMOUS } from './credentials.ts'
import { blobUploads, type UploadOptions } from './put-blob.ts'

const MIB = 1 << 20
const BLOB = sampleBlob({ seed: 'resumed', size: 9 * MIB + 12_345 })
const { size, digest } = BLOB.descriptor

interface Uploading {
  readonly registry: UploadRegistry
  /** Offsets at which the blob was opened. */
  readonly opened: readonly number[]
  readonly slept: readonly number[]
  /** Bytes of bodies that the registry read. */
  wire(): number
  put(options?: PutBlobOptions, blob?: SampleBlob): Promise<string>
}

async function uploading(ways: UploadRegistryOptions, options?: UploadOptions): Promise<Uploading> {
  const registry = await startUploadRegistry(ways)
  const slept: number[] = []
  const retry = { times: 3, sleep: async (ms: number) => void slept.push(ms), random: () => 1 }
  const http = createHttp({ retry })
  onTestFinished(async () => {
    await http.close()
    await registry[Symbol.asyncDispose]()
  })
  const monotonic = () => performance.now()
  const to = connection(
    { host: registry.host },
    { http, credentials: ANONYMOUS, allowedRealms: [], monotonic },
  )
  const putBlob = blobUploads(to, options)
  const opened: number[] = []
  return {
    registry,
    opened,
    slept,
    wire: () => registry.brought.reduce((sum, { bytes }) => sum + bytes, 0),
    put: (more, { descriptor, bytes } = BLOB) => {
      async function* open(offset = 0) {
        opened.push(offset)
        for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
      }
      return putBlob('a', descriptor, open, { seekable: true, ...more })
    },
  }
}

/** Tears down the first connections with a body after so many bytes each. */
const cuts =
  (...after: readonly number[]): NonNullable<UploadRegistryOptions['cut']> =>
  (_request, index) =>
    after[index]
const sent = ({ registry }: Uploading) =>
  registry.brought.map(({ method, range }) => `${method} ${range ?? ''}`)
const kept = ({ registry }: Uploading) => registry.blobs.get(digest)?.equals(BLOB.bytes)

test.each([[MIB + 1], [5 * MIB], [size - 1], [3 * MIB, 100_000, 2 * MIB, 0, 1]])(
  'what broke off at byte %i goes on there, and no byte crosses twice',
  async (...after) => {
    const upload = await uploading({ cut: cuts(...after) })
    expect(await upload.put()).toBe('uploaded')
    expect(kept(upload)).toBe(true)
    expect(upload.wire()).toBe(size)
    const from = after.map((_, index) => after.slice(0, index + 1).reduce((sum, bytes) => sum + bytes))
    expect(sent(upload)).toEqual(['PUT ', ...from.map((offset) => `PATCH ${offset}-${size - 1}`)])
    expect(upload.opened).toEqual([0, ...from])
    expect(upload.registry.log.filter((line) => line === 'POST 202')).toHaveLength(1)
  },
)

test('a source that cannot seek is read again from its first byte, and only the rest is sent', async () => {
  const upload = await uploading({ cut: cuts(5 * MIB) })
  expect(await upload.put({ seekable: false })).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(upload.wire()).toBe(size)
  expect(upload.opened).toEqual([0, 0])
})

test('what is less than a MiB is sent again, not asked for', async () => {
  const upload = await uploading({ cut: cuts(1000) })
  expect(await upload.put({}, sampleBlob({ seed: 'half', size: MIB / 2 }))).toBe('uploaded')
  expect(upload.registry.log).toEqual(['POST 202', 'POST 202', 'PUT 201'])
})

test('the budget of retries is for attempts that bring little', async () => {
  const pieces = Array.from({ length: 7 }, () => MIB)
  const upload = await uploading({ cut: cuts(...pieces) })
  expect(await upload.put()).toBe('uploaded')
  expect(upload.wire()).toBe(size)
  const stuck = await uploading({ cut: (_request, index) => (index === 0 ? 2 * MIB : 0) })
  await expect(stuck.put()).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  expect(stuck.registry.brought.length).toBeLessThanOrEqual(6)
})

test('a registry that forgets what a PUT brought gets it by PATCH, and large blobs so from then on', async () => {
  const upload = await uploading({ forgetsPut: true, cut: cuts(5 * MIB, 2 * MIB) }, { chunkBytes: 64 * MIB })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload).slice(0, 3)).toEqual(['PUT ', `PATCH 0-${size - 1}`, `PATCH ${2 * MIB}-${size - 1}`])
  expect(upload.wire()).toBe(5 * MIB + size)
})

test.each([
  ['a lost session', { status: 404 }],
  ['more than was sent', { headers: { range: `0-${size + 1000}` } }],
  ['no range', { headers: { range: 'all of it' } }],
] as const)('%s in the status is a new session', async (_what, said) => {
  const upload = await uploading({ cut: cuts(5 * MIB), status: () => said })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload)).toEqual(['PUT ', 'PUT '])
  expect(upload.registry.log).toEqual([
    'POST 202',
    expect.stringMatching(/^GET /),
    'DELETE 204',
    'POST 202',
    'PUT 201',
  ])
})

test('a status that leads elsewhere is refused', async () => {
  const headers = { location: 'http://other.example/up/0' }
  const upload = await uploading({ cut: cuts(5 * MIB), status: () => ({ headers }) })
  await expect(upload.put()).rejects.toMatchObject({ code: 'NET_ORIGIN_REFUSED' })
})

test('a status from elsewhere is none, and nothing is sent there', async () => {
  await using other = await startServer((_seen, response) => {
    response.writeHead(204, { range: `0-${5 * MIB - 1}`, location: '/up/9' }).end()
  })
  const headers = { location: other.url }
  const upload = await uploading({ cut: cuts(5 * MIB), status: () => ({ status: 307, headers }) })
  expect(await upload.put()).toBe('uploaded')
  expect(sent(upload)).toEqual(['PUT ', 'PUT '])
  expect(other.requests.map(({ method }) => method)).toEqual(['GET'])
})

test('a status that is wrong is found out by the digest, and all is sent once more in one piece', async () => {
  const status = (taken: number) => ({ headers: { range: `0-${taken - 1000}` } })
  const upload = await uploading({ cut: cuts(5 * MIB), appends: true, status })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload)).toEqual(['PUT ', `PATCH ${5 * MIB - 999}-${size - 1}`, 'PUT '])
})

test('a registry that takes blobs but not the rest of one gets it whole', async () => {
  const upload = await uploading({ cut: cuts(5 * MIB), refuses: { PATCH: 400 } })
  expect(await upload.put()).toBe('uploaded')
  expect(sent(upload)).toEqual(['PUT ', `PATCH ${5 * MIB}-${size - 1}`, 'PUT '])
})

test('Quay’s ranges, which name the end itself, are read right', async () => {
  const upload = await uploading({ ranges: 'quay', cut: cuts(5 * MIB, 2 * MIB) })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload).slice(1)).toEqual([`PATCH ${5 * MIB}-${size - 1}`, `PATCH ${7 * MIB}-${size - 1}`])
  expect(upload.wire()).toBe(size)
})

test('the same words that mean the last byte are found out by a 416', async () => {
  const upload = await uploading({
    cut: cuts(5 * MIB),
    status: (taken) => ({ headers: { range: `bytes=0-${taken - 1}` } }),
  })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(upload.registry.brought.map(({ status }) => status)).toEqual([undefined, 416, 202])
  expect(upload.wire()).toBe(size)
})

test('413 cuts requests until they are small enough, for all blobs', async () => {
  const upload = await uploading({ bodyMax: 1_500_000 })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(Math.max(...upload.registry.brought.map(({ bytes }) => bytes))).toBe(MIB)
  expect(upload.wire()).toBe(size)
  expect(upload.slept).toEqual([])
  const { length } = upload.registry.brought
  await upload.put({}, sampleBlob({ seed: 'second', size: 3 * MIB }))
  expect(upload.registry.brought.slice(length).map(({ status }) => status)).toEqual([202, 202, 202])
})

test('413 for what cannot be smaller is a refusal', async () => {
  const upload = await uploading({ bodyMax: 1000 })
  await expect(upload.put()).rejects.toMatchObject({ code: 'REG_REFUSED', details: { actual: 413 } })
})

test('OCI-Chunk-Min-Length asks for chunks of at least that', async () => {
  const upload = await uploading({ chunkMin: 3 * MIB }, { chunkBytes: 2 * MIB })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload)).toEqual([
    `PATCH 0-${3 * MIB - 1}`,
    `PATCH ${3 * MIB}-${6 * MIB - 1}`,
    `PATCH ${6 * MIB}-${9 * MIB - 1}`,
    `PATCH ${9 * MIB}-${size - 1}`,
  ])
  expect(upload.opened).toEqual([0, 3 * MIB, 6 * MIB, 9 * MIB])
})

test('a registry that keeps a part of what it takes gets the rest after that', async () => {
  const upload = await uploading({ chunkMin: MIB, keeps: 2 * MIB }, { chunkBytes: 3 * MIB })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload).map((line) => line.split('-')[0])).toEqual(
    [0, 2, 4, 6, 8].map((mib) => `PATCH ${mib * MIB}`),
  )
  expect(upload.slept).toEqual([])
})

test('one that keeps nothing is given up', async () => {
  const upload = await uploading({ chunkMin: MIB, keeps: 0 }, { chunkBytes: 3 * MIB })
  await expect(upload.put()).rejects.toMatchObject({ code: 'NET_UNAVAILABLE', details: { actual: 0 } })
  expect(upload.slept).toHaveLength(3)
})

test('our own count holds against an answer that its status does not bear out', async () => {
  for (const status of [() => ({}), () => ({ status: 405 })]) {
    const upload = await uploading({ chunkMin: MIB, patched: () => '0-7', status }, { chunkBytes: 3 * MIB })
    expect(await upload.put()).toBe('uploaded')
    expect(kept(upload)).toBe(true)
    expect(upload.wire()).toBe(size)
  }
})

test('201 for the last PATCH is the end of it', async () => {
  const upload = await uploading({ chunkMin: 5 * MIB, closesAt: size }, { chunkBytes: 5 * MIB })
  expect(await upload.put()).toBe('uploaded')
  expect(upload.registry.log).toEqual(['POST 202', 'PATCH 202', 'PATCH 201'])
})

test('a registry without PATCH gets blobs whole, however often they break off', async () => {
  const upload = await uploading({ refuses: { PATCH: 405 }, cut: cuts(5 * MIB, undefined!, 5 * MIB) })
  expect(await upload.put()).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(sent(upload)).toEqual(['PUT ', `PATCH ${5 * MIB}-${size - 1}`, 'PUT ', 'PUT '])
})

test('what breaks off twice at the same byte is a limit: requests stay below it', async () => {
  const upload = await uploading({ cut: () => 4 * MIB }, { chunkBytes: 3 * MIB })
  const large = sampleBlob({ seed: 'limited', size: 20 * MIB })
  expect(await upload.put({}, large)).toBe('uploaded')
  const { brought } = upload.registry
  expect(brought.slice(0, 2).map(({ bytes }) => bytes)).toEqual([4 * MIB, 4 * MIB])
  expect(brought.slice(2).map(({ bytes }) => bytes)).toEqual(Array.from({ length: 6 }, () => 2 * MIB))
})

test('what breaks off twice after the same time is a limit as well', async () => {
  let now = 0
  const monotonic = () => (now += 60_000)
  const large = sampleBlob({ seed: 'late', size: 40 * MIB })
  const run = async (clock: () => number) => {
    const upload = await uploading({ cut: cuts(20 * MIB, 2 * MIB) }, { chunkBytes: MIB, monotonic: clock })
    expect(await upload.put({}, large)).toBe('uploaded')
    return Math.max(...upload.registry.brought.slice(2).map(({ bytes }) => bytes))
  }
  expect(await run(monotonic)).toBe(MIB)
  expect(await run(() => 0)).toBe(18 * MIB)
})

test.each([MIB / 4, MIB / 2, 9 * MIB])(
  'a destination that ends idle uploads does not wait for a slow source (%i bytes)',
  async (bytes) => {
    const upload = await uploading({ idleMs: 300 })
    const blob = sampleBlob({ seed: 'slow', size: bytes })
    const http = createHttp({ retry: { times: 0 } })
    onTestFinished(() => http.close())
    const options = { http, credentials: ANONYMOUS, allowedRealms: [], monotonic: () => 0 }
    const putBlob = blobUploads(connection({ host: upload.registry.host }, options))
    async function* open() {
      await sleep(1000)
      yield* blob.open()
    }
    expect(await putBlob('a', blob.descriptor, open)).toBe('uploaded')
    expect(upload.registry.log).toEqual(['POST 202', 'PUT 201'])
  },
)

test('a source that falls silent on the way breaks the upload off, and it goes on', async () => {
  const upload = await uploading({ idleMs: 300 })
  const bytes = BLOB.bytes
  let slept = false
  async function* open(offset = 0) {
    for (let at = offset; at < size; at += MIB) {
      if (at >= 4 * MIB && !slept) {
        slept = true
        await sleep(900)
      }
      yield bytes.subarray(at, at + MIB)
    }
  }
  const http = createHttp({ retry: { sleep: async () => {} } })
  onTestFinished(() => http.close())
  const options = { http, credentials: ANONYMOUS, allowedRealms: [], monotonic: () => 0 }
  const putBlob = blobUploads(connection({ host: upload.registry.host }, options))
  expect(await putBlob('a', BLOB.descriptor, open, { seekable: true })).toBe('uploaded')
  expect(kept(upload)).toBe(true)
  expect(upload.wire()).toBe(size)
  expect(sent(upload)).toEqual(['PUT ', `PATCH ${4 * MIB}-${size - 1}`])
})
