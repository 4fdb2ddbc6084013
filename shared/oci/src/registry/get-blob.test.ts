import { expect, test } from 'vitest'
import { type Answer, sampleBlob, type SampleBlob, scriptedRegistry } from '../testing/index.ts'

const BLOB = sampleBlob({ seed: 'faults', size: 300_000 })
const SMALL = sampleBlob('faults')
const DIGEST = 'docker-content-digest'

const read = async (sample: SampleBlob, answer: Answer, offset = 0) => {
  const { store, server } = await scriptedRegistry(({ url }) =>
    url.includes('/blobs/') ? answer : undefined,
  )
  const bytes = Buffer.concat(await Array.fromAsync(store.blob('a', sample.descriptor, offset)))
  return { bytes, range: server.requests.at(-1)!.headers.range }
}
const total = BLOB.bytes.length

test('a range is closed, and its answer checked', async () => {
  const headers = { 'content-range': `bytes 100-${total - 1}/${total}` }
  const { bytes, range } = await read(BLOB, { status: 206, headers, body: BLOB.bytes.subarray(100) }, 100)
  expect(bytes.equals(BLOB.bytes.subarray(100))).toBe(true)
  expect(range).toBe(`bytes=100-${total - 1}`)
})

test('a server that ignores the range is read on from there', async () => {
  const { bytes } = await read(BLOB, { status: 200, body: BLOB.bytes }, 200_001)
  expect(bytes.equals(BLOB.bytes.subarray(200_001))).toBe(true)
})

test.each([
  [206, { 'content-range': `bytes 0-${total - 1}/${total}` }, 'REG_PROTOCOL'],
  [206, { 'content-range': `bytes 100-${total - 1}/${total + 1}` }, 'REG_PROTOCOL'],
  [206, {}, 'REG_PROTOCOL'],
  [416, {}, 'SIZE_MISMATCH'],
  [404, {}, 'REG_BLOB_UNKNOWN'],
  [204, {}, 'REG_PROTOCOL'],
  [403, {}, 'AUTH_DENIED'],
  [410, {}, 'REG_REFUSED'],
  [503, {}, 'NET_UNAVAILABLE'],
  [429, {}, 'NET_RATE_LIMITED'],
])('%i with %j to a range is %s', async (status, headers, code) => {
  await expect(read(BLOB, { status, headers }, 100)).rejects.toMatchObject({ code })
})

test('a 206 to a request for all is refused', async () => {
  await expect(read(BLOB, { status: 206, body: 'x' })).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
})

test('a blob at its end is not asked for', async () => {
  const { store, server } = await scriptedRegistry(() => undefined)
  expect(await Array.fromAsync(store.blob('a', BLOB.descriptor, total))).toEqual([])
  expect(server.requests).toEqual([])
})

test('HEAD: there, not there, another one, and a storage that does not know HEAD', async () => {
  const has = async (answer: Answer) =>
    (await scriptedRegistry(({ url }) => (url.includes('/blobs/') ? answer : undefined))).store.hasBlob(
      'a',
      SMALL.descriptor.digest,
    )
  expect(await has({ status: 200 })).toBe(true)
  expect(await has({ status: 200, headers: { [DIGEST]: BLOB.descriptor.digest } })).toBe(false)
  expect(await has({ status: 404 })).toBe(false)
  const { store } = await scriptedRegistry(({ url }) =>
    url.includes('/blobs/')
      ? { status: 307, headers: { location: '/storage' } }
      : url === '/storage'
        ? { status: 403 }
        : undefined,
  )
  expect(await store.hasBlob('a', SMALL.descriptor.digest)).toBe(false)
  await expect(has({ status: 403 })).rejects.toMatchObject({ code: 'AUTH_DENIED' })
})
