import { readdir } from 'node:fs/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ran } from '@carryall/cli/testing'
import type { Sequence } from '@carryall/schemas'
import { sampleImage, sampleIndex, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { startServer } from '@carryall/http/testing'
import { writeConfig } from '../support/config.ts'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { randomFaults } from '../support/fault-rules.ts'
import type { Fault } from '../support/faults.ts'
import type { Proxied } from '../support/proxied.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import { digestsOf, publishSamples } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { openStores } from '../support/stores.ts'
import { mirrorSeq, seqMeta } from '../support/tools.ts'

const large = sampleImage('large', { layers: [200_000] })
const images = [
  { repository: 'large', tag: '1', sample: large },
  { repository: 'small', tag: '1', sample: sampleImage('small') },
  {
    repository: 'multi',
    tag: '1',
    sample: sampleIndex([sampleImage('m'), sampleImage('m-arm', { architecture: 'arm64' })]),
  },
]
const layer = large.blobs.find((blob) => blob.diffId !== undefined)!.descriptor

let registry: DockerRegistry
let proxy: FaultProxy
let scratch: Scratch

beforeAll(async () => {
  registry = await startDockerRegistry()
  const stores = await openStores()
  await publishSamples(stores.registry(registry.host), images)
  await stores.close()
  return () => registry.stop()
})

beforeEach(async () => {
  proxy = await startFaultProxy(registry.url)
  scratch = await makeScratch()
  await writeConfig(
    scratch.at('isc.yaml'),
    images.map(({ repository, tag }) => `${proxy.host}/${repository}:${tag}`),
  )
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await scratch[Symbol.asyncDispose]()
})

const mirror = (...flags: readonly string[]): Promise<Ran> =>
  mirrorSeq([
    '-c',
    scratch.at('isc.yaml'),
    '--content',
    scratch.at('content'),
    '--retry-delay',
    '1ms',
    '--remove-signatures',
    ...flags,
  ])

const isLayer = ({ method, path }: Proxied): boolean =>
  method === 'GET' && path.endsWith(`/blobs/${layer.digest}`)
const layerGets = (): readonly Proxied[] => proxy.requests.filter(isLayer)

/** Spoils the answers with the large layer: the first `times` of them. */
const spoilLayer = (fault: Fault, times: number): void => {
  proxy.faults = (request) => (isLayer(request) && request.before < times ? fault : undefined)
}

async function published(): Promise<readonly string[]> {
  return (await readdir(scratch.at('content')).catch(() => [] as string[])).filter(
    (name) => !name.startsWith('.'),
  )
}

async function expectWhole(ran: Ran): Promise<Sequence> {
  const { document } = only<Sequence>(ran)
  expect((await seqMeta(['verify', scratch.at('content')])).exit).toBe(0)
  return document
}

describe('a fault that passes', () => {
  test.each<[string, Fault, number, readonly (string | undefined)[]]>([
    [
      'a reset',
      { fault: 'reset', after: 150_000 },
      1,
      [undefined, expect.stringMatching(/^bytes=\d+-/) as string],
    ],
    ['resets without a byte', { fault: 'reset', after: 0 }, 3, [undefined, undefined, undefined, undefined]],
    [
      'an end too early',
      { fault: 'truncate', after: 100_000 },
      2,
      [
        undefined,
        expect.stringMatching(/^bytes=\d+-/) as string,
        expect.stringMatching(/^bytes=\d+-/) as string,
      ],
    ],
    [
      'a body shorter than the layer',
      { fault: 'truncate', after: 100_000, honest: true },
      1,
      [undefined, `bytes=100000-${layer.size - 1}`],
    ],
    ['503', { fault: 'status', status: 503 }, 3, [undefined, undefined, undefined, undefined]],
    ['500', { fault: 'status', status: 500 }, 1, [undefined, undefined]],
    ['429', { fault: 'status', status: 429 }, 2, [undefined, undefined, undefined]],
    [
      '429 with seconds',
      { fault: 'status', status: 429, headers: { 'retry-after': '1' } },
      1,
      [undefined, undefined],
    ],
    [
      '429 with a date that is past',
      { fault: 'status', status: 429, headers: { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' } },
      1,
      [undefined, undefined],
    ],
    [
      '429 with nonsense',
      { fault: 'status', status: 429, headers: { 'retry-after': '-1 or so' } },
      1,
      [undefined, undefined],
    ],
    ['wrong bytes once', { fault: 'bytes' }, 1, [undefined, undefined]],
    ['bytes too many once', { fault: 'extra', count: 10 }, 1, [undefined, undefined]],
  ])('%s is got over', async (_name, fault, times, ranges) => {
    spoilLayer(fault, times)
    const start = performance.now()
    await expectWhole(await mirror())
    expect(layerGets().map(({ range }) => range)).toEqual(ranges)
    if (fault.fault === 'status' && fault.headers?.['retry-after'] === '1')
      expect(performance.now() - start).toBeGreaterThan(1000)
  })

  test('a length that is announced too long is got over', async () => {
    spoilLayer({ fault: 'length', length: 10_000_000 }, 3)
    await expectWhole(await mirror())
  })

  test('a resumed layer is asked for from the bytes that came', async () => {
    spoilLayer({ fault: 'truncate', after: 131_072 }, 1)
    await expectWhole(await mirror())
    const [, again] = layerGets()
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(again!.range ?? '') ?? []
    // The last piece before a break may be lost in the client's buffers.
    expect(Number(start)).toBeGreaterThan(60_000)
    expect(Number(start)).toBeLessThanOrEqual(131_072)
    expect(Number(end)).toBe(layer.size - 1)
  })

  test('a stall is given up after the time for an image, and the next run ends it', async () => {
    spoilLayer({ fault: 'stall', after: 50_000 }, 1)
    const ran = await mirror('--image-timeout', '1s')
    expect(failure(ran)).toEqual([69, 'NET_TIMEOUT'])
    expect(failureErrors(ran)[0]!.message).toContain('large:1')
    expect(await published()).toEqual([])
    await expectWhole(await mirror('--image-timeout', '1s'))
    expect(layerGets()).toHaveLength(2)
  })

  test('answers to manifests and to the first contact are got over, too', async () => {
    const spoiled: Fault[] = [
      { fault: 'status', status: 503 },
      { fault: 'reset', after: 0 },
      { fault: 'truncate', after: 10 },
      { fault: 'status', status: 429 },
    ]
    proxy.faults = ({ path, method, before }) =>
      method === 'GET' && (path === '/v2/' || path.includes('/manifests/')) ? spoiled[before] : undefined
    await expectWhole(await mirror())
    expect(proxy.requests.filter(({ path }) => path === '/v2/').length).toBeGreaterThan(1)
    expect(
      proxy.requests
        .filter(({ fault, path }) => fault !== undefined && path.includes('/large/'))
        .map(({ fault }) => fault),
    ).toEqual(spoiled)
  })

  test.each([1, 2, 3])(
    'faults of every kind in a third of all requests are got over (seed %i)',
    async (seed) => {
      proxy.faults = randomFaults(seed, 0.35, 4)
      await expectWhole(await mirror('--retry-times', '8'))
      expect(proxy.requests.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(3)
    },
  )
})

describe('a fault that stays', () => {
  test.each<[string, Fault, readonly (string | number)[]]>([
    ['resets', { fault: 'reset', after: 1000 }, [69, 'NET_UNAVAILABLE']],
    ['an end too early', { fault: 'truncate', after: 1000, honest: true }, [69, 'NET_UNAVAILABLE']],
    ['more bytes than the manifest says', { fault: 'extra', count: 1 }, [82, 'SIZE_MISMATCH']],
    ['503', { fault: 'status', status: 503 }, [69, 'NET_UNAVAILABLE']],
    ['429', { fault: 'status', status: 429 }, [75, 'NET_RATE_LIMITED']],
    ['404', { fault: 'status', status: 404 }, [66, 'REG_BLOB_UNKNOWN']],
    ['403', { fault: 'status', status: 403 }, [77, 'AUTH_DENIED']],
    ['wrong bytes', { fault: 'bytes' }, [82, 'DIGEST_MISMATCH']],
  ])(
    '%s: nothing is published, the image is named, and the next run fetches what is missing only',
    async (_name, fault, expected) => {
      spoilLayer(fault, Infinity)
      const ran = await mirror('--retry-times', '2')
      expect(failure(ran)).toEqual(expected)
      expect(failureErrors(ran)[0]!.message).toContain('large:1')
      expect(failureErrors(ran)[0]!.hint).toBeDefined()
      expect(await published()).toEqual([])
      const asked = proxy.requests.length
      proxy.faults = () => undefined
      await expectWhole(await mirror())
      const again = proxy.requests.slice(asked).filter(({ path }) => path !== '/v2/')
      expect(again.map(({ path }) => path.split('/').at(-1))).toEqual([layer.digest])
    },
  )

  test('an image whose manifest does not come is named, as are all others that fail', async () => {
    proxy.faults = ({ path }) =>
      /\/(large|small)\/manifests\//.test(path) ? { fault: 'status', status: 404 } : undefined
    const ran = await mirror()
    expect(failure(ran)).toEqual([66, 'REG_MANIFEST_UNKNOWN', 'REG_MANIFEST_UNKNOWN'])
    expect(
      failureErrors(ran)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/large:1.*small:1/)
    expect(await published()).toEqual([])
  })

  test.each([
    ['a digest header that is another', (digest: string): Fault => ({ fault: 'digest', digest })],
    ['other bytes', (): Fault => ({ fault: 'bytes' })],
  ])('a manifest with %s is refused', async (_name, make) => {
    const wrong = make(`sha256:${'0'.repeat(64)}`)
    proxy.faults = ({ path, method }) =>
      method === 'GET' && path.includes('/small/manifests/') ? wrong : undefined
    const ran = await mirror('--retry-times', '1')
    expect([82, 76]).toContain(ran.exit)
    expect(await published()).toEqual([])
  })
})

describe('a redirect', () => {
  test('to another origin is followed for a blob, and no credential goes along', async () => {
    await using storage = await startServer(
      (_seen, response) => void response.end(large.blobs.find((blob) => blob.descriptor === layer)!.bytes),
      { address: '127.0.0.2' },
    )
    spoilLayer({ fault: 'redirect', to: `${storage.url}/somewhere` }, Infinity)
    await expectWhole(await mirror())
    expect(storage.requests).toHaveLength(1)
    expect(storage.requests[0]!.headers.authorization).toBeUndefined()
  })

  test('without an end is an error of the registry', async () => {
    spoilLayer({ fault: 'redirect', to: `http://${proxy.host}/v2/large/blobs/${layer.digest}` }, Infinity)
    expect(failure(await mirror('--retry-times', '0'))[0]).toBe(76)
    expect(await published()).toEqual([])
  })
})

test('each blob is fetched once, however many images share it', async () => {
  await expectWhole(await mirror())
  const gets = proxy.requests
    .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    .map(({ path }) => path.split('/').at(-1)!)
  expect(gets.toSorted()).toEqual(
    [...new Set(images.flatMap(({ sample }) => [...digestsOf(sample).blobs]))].toSorted(),
  )
})
