import { createHttp, type HttpClient, type Retry } from '@carryall/http'
import { ANONYMOUS, openRegistry } from '@carryall/oci'
import { pushSample, sampleBlob, sampleImage, startDockerRegistry } from '@carryall/oci/testing'
import { expect, test } from 'vitest'
import { makeScratch } from '../support/scratch.ts'
import { mountSmallDisk } from '../support/small-disk.ts'

const MB = 1_000_000

test.each([
  ['by connections of the pool', 2 * MB],
  ['by connections of their own', 6 * MB],
])('a registry whose disk is full is written to no more, and read on (blobs %s)', async (_name, size) => {
  await using scratch = await makeScratch()
  await using disk = await mountSmallDisk(scratch, 24)
  await using registry = await startDockerRegistry({ storage: disk.path })
  const retries: Retry[] = []
  const client = createHttp({ retry: { delayMs: 1, onRetry: (retry) => retries.push(retry) } })
  const sent: string[] = []
  const http: HttpClient = {
    ...client,
    request: (request) => {
      sent.push(request.method)
      return client.request(request)
    },
  }
  const store = openRegistry(registry, { http, credentials: ANONYMOUS, breaker: {} })
  const image = sampleImage('before')
  await pushSample(store, 'a/x', image, 'v1')
  await disk.fill(MB)

  const blob = sampleBlob({ seed: 'large', size })
  const full = {
    code: 'REG_DISK_FULL',
    exit: 69,
    details: { subject: { kind: 'host', name: registry.host } },
  }
  await expect(store.putBlob('a/y', blob.descriptor, blob.open)).rejects.toMatchObject(full)
  // The connection may be gone before the answer is read; an answer that says why is not asked for twice.
  expect(
    retries.filter(({ error }) => error.code !== 'NET_UNAVAILABLE' || error.details.actual === 500),
  ).toEqual([])

  sent.length = 0
  const small = sampleBlob('small')
  await expect(store.putBlob('b/z', small.descriptor, small.open)).rejects.toMatchObject(full)
  await expect(store.putManifest('b/z', 'v1', image.manifest)).rejects.toMatchObject(full)
  expect((await store.manifest('a/x', 'v1')).digest).toBe(image.manifest.digest)
  expect(sent).toEqual(['GET'])
  await http.close()
})
