import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Checks } from './check.ts'
import { sha256 } from './client.ts'
import { OCTETS } from './repository.ts'

const ABSENT = sha256('never pushed')
const SIZE = 2048

/** distribution-spec: pull (end-1 to end-3). */
export const pullChecks: Checks = {
  'the base answers': async ({ client }) => {
    expect((await client.call('GET', '/v2/')).status).toBe(200)
  },

  'a manifest by tag and by digest': async (repository) => {
    const pushed = await repository.pushManifest(await repository.image(), 'v1')
    for (const reference of ['v1', pushed.digest]) await repository.holds(`manifests/${reference}`, pushed)
  },

  'a blob': async (repository) => {
    const bytes = randomBytes(SIZE)
    const { digest } = await repository.pushBlob(bytes)
    await repository.holds(`blobs/${digest}`, { bytes, digest, mediaType: OCTETS })
  },

  'what is not there': async (repository) => {
    for (const path of ['manifests/none', `manifests/${ABSENT}`, `blobs/${ABSENT}`])
      await repository.lacks(path)
    await repository.pushManifest(await repository.image(), 'v1')
    for (const path of ['manifests/none', `manifests/${ABSENT}`, `blobs/${ABSENT}`])
      await repository.lacks(path)
  },

  'what cannot be there': async (repository) => {
    for (const path of ['manifests/sha256:short', 'blobs/sha256:short', 'manifests/-tag', 'blobs/tag'])
      expect([400, 404]).toContain((await repository.call('GET', path)).status)
  },

  'a range of a blob': async (repository) => {
    const bytes = randomBytes(SIZE)
    const { digest } = await repository.pushBlob(bytes)
    for (const [range, from, to] of [
      ['0-0', 0, 0],
      ['500-1499', 500, 1499],
      ['500-', 500, SIZE - 1],
      ['-500', SIZE - 500, SIZE - 1],
      ['2000-5000', 2000, SIZE - 1],
      [`-${2 * SIZE}`, 0, SIZE - 1],
    ] as const) {
      const answer = await repository.call('GET', `blobs/${digest}`, { headers: { range: `bytes=${range}` } })
      expect(answer.status).toBe(206)
      expect(answer.headers['content-range']).toBe(`bytes ${from}-${to}/${SIZE}`)
      expect(answer.headers['content-length']).toBe(String(to - from + 1))
      expect(answer.body.equals(bytes.subarray(from, to + 1))).toBe(true)
    }
  },

  'a range that no byte is in': async (repository) => {
    const { digest } = await repository.pushBlob(randomBytes(SIZE))
    for (const range of [`${SIZE}-`, '5000-10000', '500-0']) {
      const answer = await repository.call('GET', `blobs/${digest}`, { headers: { range: `bytes=${range}` } })
      expect(answer.status).toBe(416)
    }
  },

  'a range in another unit, and of HEAD, is none': async (repository) => {
    const { digest } = await repository.pushBlob(randomBytes(SIZE))
    for (const [method, range] of [
      ['GET', 'lines=1-2'],
      ['HEAD', 'bytes=0-9'],
    ] as const) {
      const answer = await repository.call(method, `blobs/${digest}`, { headers: { range } })
      expect([answer.status, answer.headers['content-length']]).toEqual([200, String(SIZE)])
    }
  },

  'a blob that is known already is not sent again': async (repository) => {
    const { digest } = await repository.pushBlob(randomBytes(SIZE))
    const { etag } = (await repository.call('HEAD', `blobs/${digest}`)).headers
    const answer = await repository.call('GET', `blobs/${digest}`, { headers: { 'if-none-match': etag! } })
    expect([answer.status, answer.body.length]).toEqual([304, 0])
  },
}
