import { CarryallError } from '@carryall/errors'
import { createHttp, retryPolicy } from '@carryall/http'
import { startServer } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import { fetchBlob } from './fetch-blob.ts'
import { ANONYMOUS } from './registry/credentials.ts'
import { openRegistry } from './registry/open-registry.ts'
import type { Source } from './store.ts'
import { sampleBlob } from './testing/index.ts'

const { descriptor, bytes } = sampleBlob({ seed: 'fetched', size: 3 << 20 })
const broken = () => new CarryallError('NET_UNAVAILABLE', 'Broken', { retryable: true })

/** A source that gives, attempt by attempt, the bytes of `parts` from the offset on, then what they end with. */
function sourceOf(
  parts: readonly { readonly until?: number; readonly from?: Buffer; readonly error?: Error }[],
) {
  const offsets: number[] = []
  const source = {
    async *blob(_repository: string, _blob: unknown, offset = 0) {
      const { until, from = bytes, error } = parts[offsets.length] ?? {}
      offsets.push(offset)
      yield* pieces(from.subarray(offset, until))
      if (error) throw error
    },
  } as unknown as Source
  return { source, offsets }
}

async function* pieces(content: Buffer) {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536)
}

function fetched(source: Source, times = 2, onRestart?: () => void) {
  const slept: number[] = []
  const retry = retryPolicy({ times, random: () => 1, sleep: async (ms) => void slept.push(ms) })
  return {
    slept,
    all: Array.fromAsync(fetchBlob(source, 'a', descriptor, { retry, ...(onRestart ? { onRestart } : {}) })),
  }
}

test('after a break it goes on where it was', async () => {
  const { source, offsets } = sourceOf([{ until: 100_000, error: broken() }, { until: 200_000 }, {}])
  const { all, slept } = fetched(source)
  expect(Buffer.concat(await all).equals(bytes)).toBe(true)
  expect(offsets).toEqual([0, 100_000, 200_000])
  expect(slept).toEqual([500, 1000])
})

test('the budget is for attempts that bring little; progress starts it anew', async () => {
  const little = sourceOf([1, 2, 3, 4].map((part) => ({ until: part * 100_000, error: broken() })))
  await expect(fetched(little.source).all).rejects.toMatchObject({
    code: 'NET_UNAVAILABLE',
    message: 'Broken',
  })
  expect(little.offsets).toHaveLength(3)
  const much = sourceOf([
    { until: 1 << 20, error: broken() },
    { until: 2 << 20, error: broken() },
    { error: broken() },
    {},
  ])
  const { all, slept } = fetched(much.source, 1)
  expect(Buffer.concat(await all).equals(bytes)).toBe(true)
  expect(slept).toEqual([500, 500, 500])
})

test('what is not retryable is thrown at once', async () => {
  const { source, offsets } = sourceOf([{ until: 100, error: new CarryallError('AUTH_DENIED', 'No') }])
  await expect(fetched(source).all).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  expect(offsets).toEqual([0])
})

test('a blob that is shorter at its source is SIZE_MISMATCH, not waited for', async () => {
  const { source, offsets } = sourceOf(Array.from({ length: 9 }, () => ({ until: 1000 })))
  const { all, slept } = fetched(source, 5)
  await expect(all).rejects.toMatchObject({ code: 'SIZE_MISMATCH', details: { actual: 1000 } })
  expect(offsets).toEqual([0, 1000])
  expect(slept).toHaveLength(1)
})

test('more bytes than declared are SIZE_MISMATCH with the first of them', async () => {
  const { source } = sourceOf([{ from: Buffer.concat([bytes, bytes]) }])
  await expect(fetched(source).all).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
})

test('wrong bytes are fetched once more from zero, where the consumer can begin anew', async () => {
  const wrong = Buffer.from(bytes)
  wrong[1] = wrong[1]! ^ 1
  const once = sourceOf([{ from: wrong }])
  await expect(fetched(once.source).all).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  expect(once.offsets).toEqual([0])

  const healed = sourceOf([{ from: wrong }, {}])
  let restarts = 0
  const chunks = await fetched(healed.source, 2, () => void (restarts += 1)).all
  expect(restarts).toBe(1)
  expect(Buffer.concat(chunks).subarray(bytes.length).equals(bytes)).toBe(true)

  const stubborn = sourceOf([{ from: wrong }, { from: wrong }, {}])
  await expect(fetched(stubborn.source, 2, () => {}).all).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  expect(stubborn.offsets).toEqual([0, 0])
})

test('an abort between attempts is its reason', async () => {
  const controller = new AbortController()
  const { source } = sourceOf([{ until: 100, error: broken() }])
  const retry = retryPolicy({ onRetry: () => controller.abort(new Error('stop')) })
  const all = Array.fromAsync(fetchBlob(source, 'a', descriptor, { retry, signal: controller.signal }))
  await expect(all).rejects.toThrow('stop')
})

test('a registry that breaks off, ignores a range, and is busy, still gives the blob', async () => {
  const ranges: (string | undefined)[] = []
  await using server = await startServer((seen, response) => {
    if (seen.url === '/v2/') return void response.end()
    const { range } = seen.headers
    ranges.push(range)
    const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    const whole = {
      'content-length': bytes.length - from,
      'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
    }
    switch (ranges.length) {
      case 1:
        response.writeHead(200, { 'content-length': bytes.length })
        return void response.write(bytes.subarray(0, 500_000), () => response.destroy())
      case 2:
        return void response.writeHead(503).end()
      case 3:
        response.writeHead(206, whole)
        return void response.write(bytes.subarray(from, from + 500_000), () => response.destroy())
      default:
        return void response.writeHead(200).end(bytes)
    }
  })
  const http = createHttp({ retry: { sleep: async () => {} } })
  onTestFinished(() => http.close())
  const source = openRegistry({ host: server.host }, { http, credentials: ANONYMOUS })
  const chunks = await Array.fromAsync(fetchBlob(source, 'a', descriptor, { retry: http.retry }))
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  expect(ranges).toHaveLength(4)
  expect(ranges[0]).toBeUndefined()
  for (const range of ranges.slice(1)) expect(range).toMatch(new RegExp(`^bytes=\\d+-${bytes.length - 1}$`))
})
