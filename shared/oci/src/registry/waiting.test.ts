import { expect, test } from 'vitest'
import { type Answer, sampleImage, scriptedRegistry } from '../testing/index.ts'

const IMAGE = sampleImage('faults')

const manifest = (headers = {}, body = IMAGE.manifest.bytes): Answer => ({
  status: 200,
  headers: { 'content-type': IMAGE.manifest.mediaType, ...headers },
  body,
})

test('Retry-After is kept and 429 ends as NET_RATE_LIMITED', async () => {
  const limited = (header: string) =>
    scriptedRegistry(
      ({ url }) => (url === '/v2/' ? undefined : { status: 429, headers: { 'retry-after': header } }),
      { retry: { times: 1 } },
    )
  for (const [header, ms] of [
    ['7', 7000],
    ['86400', 300_000],
    ['soon', 500],
    ['-1', 500],
  ] as const) {
    const { store, slept } = await limited(header)
    await expect(store.head('a', 'v1')).rejects.toMatchObject({ code: 'NET_RATE_LIMITED', exit: 75 })
    expect(slept).toEqual([ms])
  }
})

test('a registry that is away for a moment is waited for', async () => {
  const { store, retries } = await scriptedRegistry(({ url }, count) =>
    url === '/v2/' ? undefined : count < 3 ? { status: 503 } : manifest(),
  )
  expect((await store.manifest('a', 'v1')).digest).toBe(IMAGE.manifest.digest)
  expect(retries.map(({ attempt }) => attempt)).toEqual([1, 2])
})
