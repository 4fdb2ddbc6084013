import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SyncReport } from '@carryall/schemas'
import {
  AMBIGUOUS_MANIFESTS,
  ambiguousChild,
  type Answer,
  type Sample,
  sampleImage,
  sampleIndex,
} from '@carryall/oci/testing'
import { startHostileFront } from '../support/hostile-front.ts'
import { type MemoryImage, startMemoryRegistry } from '../support/memory-registry.ts'
import { only } from '../support/ran.ts'
import { startSyncEnds, type SyncEnds } from '../support/sync-ends.ts'
import { lacking, storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

let ends: SyncEnds
let runs = 0
let below: string
beforeAll(async () => {
  ends = await startSyncEnds()
  return () => ends[Symbol.asyncDispose]()
})
beforeEach(() => void (below = `run-${++runs}`))

const good = ['good/one', 'good/two'].map((repository) => ({
  repository,
  tag: 'v1',
  sample: sampleImage(repository),
}))
const honest = (repository: string, sample: Sample, lie?: MemoryImage['lie']): MemoryImage => ({
  repository,
  tag: 'v1',
  manifest: sample.manifest,
  samples: [sample],
  ...(lie === undefined ? {} : { lie }),
})

/** Syncs from a registry with these images and the good ones; gives the codes of what failed by its repository. */
async function syncFrom(
  images: readonly MemoryImage[],
  exit?: number,
): Promise<Readonly<Record<string, string | undefined>>> {
  await using source = await startMemoryRegistry([
    ...images,
    ...good.map(({ repository, sample }) => honest(repository, sample)),
  ])
  const ran = await regSync([
    `docker://${source.host}`,
    `docker://${ends.destination.registry.host}/${below}`,
    ...['--retry-times', '1', '--retry-delay', '1ms'],
  ])
  const { document } = only<SyncReport>(ran, exit ?? ran.exit)
  const failed = document.images.filter(({ outcome }) => outcome !== 'copied')
  expect(failed.map(({ outcome }) => outcome)).toEqual(failed.map(() => 'failed'))
  expect(ran.exit === 0).toBe(failed.length === 0)
  return Object.fromEntries(
    failed.map(({ destination: { repository }, error }) => [repository.slice(below.length + 1), error?.code]),
  )
}

/** The good ones, whole, and nothing else under any tag. */
async function expectGood(): Promise<void> {
  const { storage } = ends.destination.registry
  const names = good.map(({ repository, sample }) => [`${below}/${repository}:v1`, sample.manifest.digest])
  expect(await tagsIn(storage, below)).toEqual(Object.fromEntries(names))
  for (const image of good)
    expect(await lacking(storage, { ...image, repository: `${below}/${image.repository}` })).toEqual([])
}

test('ambiguous manifests are refused, each by its code, and the others are copied', async () => {
  const images = AMBIGUOUS_MANIFESTS.map(({ manifest }, index) => ({
    repository: `bad/${index}`,
    tag: 'v1',
    manifest,
    samples: [ambiguousChild],
  }))
  const codes = await syncFrom(images)
  expect(images.length).toBeGreaterThanOrEqual(25)
  expect(codes).toEqual(
    Object.fromEntries(AMBIGUOUS_MANIFESTS.map(({ code }, index) => [`bad/${index}`, code])),
  )
  await expectGood()
})

test('what lies about its content is refused, and the others are copied', async () => {
  const image = (name: string): Sample => sampleImage(name, { layers: [3000] })
  const layerOf = (sample: Sample) => sample.blobs[1]!
  const serving = (body: Buffer | string, headers: Record<string, string> = {}): Answer => ({
    status: 200,
    headers,
    body,
  })
  const lies: Readonly<Record<string, readonly [code: string, make: (name: string) => MemoryImage]>> = {
    'a-digest-of-another': [
      'DIGEST_MISMATCH',
      (name) => {
        const { manifest, ...sample } = image(name)
        const digest = image('another').manifest.digest
        return honest(name, { ...sample, manifest: { ...manifest, digest } })
      },
    ],
    'another-manifest-for-a-child': [
      'DIGEST_MISMATCH',
      (name) => {
        const index = sampleIndex([image(name)])
        const { bytes, mediaType } = image('another').manifest
        const child = `manifests/${index.children[0]!.manifest.digest}`
        return honest(name, index, (_, what) =>
          what === child ? serving(bytes, { 'content-type': mediaType }) : undefined,
        )
      },
    ],
    'a-head-without-a-get': [
      'REG_MANIFEST_UNKNOWN',
      (name) =>
        honest(name, image(name), (method, what) =>
          method === 'GET' && what.startsWith('manifests/') ? { status: 404 } : undefined,
        ),
    ],
    'a-child-that-is-gone': [
      'REG_MANIFEST_UNKNOWN',
      (name) => {
        const index = sampleIndex([image(name)])
        const child = `manifests/${index.children[0]!.manifest.digest}`
        return honest(name, index, (_, what) => (what === child ? { status: 404 } : undefined))
      },
    ],
    'other-bytes': [
      'DIGEST_MISMATCH',
      (name) => {
        const { bytes, descriptor } = layerOf(image(name))
        const other = Buffer.from(bytes.map((byte) => byte ^ 1))
        return honest(name, image(name), (_, what) =>
          what === `blobs/${descriptor.digest}` ? serving(other) : undefined,
        )
      },
    ],
    'bytes-too-many': [
      'SIZE_MISMATCH',
      (name) => {
        const { bytes, descriptor } = layerOf(image(name))
        const more = Buffer.concat([bytes, bytes])
        return honest(name, image(name), (_, what) =>
          what === `blobs/${descriptor.digest}` ? serving(more) : undefined,
        )
      },
    ],
    'bytes-too-few': [
      'SIZE_MISMATCH',
      (name) => {
        const { bytes, descriptor } = layerOf(image(name))
        return honest(name, image(name), (_, what) =>
          what === `blobs/${descriptor.digest}` ? serving(bytes.subarray(0, 100)) : undefined,
        )
      },
    ],
    'a-blob-that-is-gone': [
      'REG_BLOB_UNKNOWN',
      (name) =>
        honest(name, image(name), (method, what) =>
          method === 'GET' && what.startsWith('blobs/') ? { status: 404 } : undefined,
        ),
    ],
  }
  const codes = await syncFrom(Object.entries(lies).map(([name, [, make]]) => make(`lies/${name}`)))
  expect(codes).toEqual(
    Object.fromEntries(Object.entries(lies).map(([name, [code]]) => [`lies/${name}`, code])),
  )
  await expectGood()
})

test.each([
  ['is deleted while it is read', 1, 0, {}],
  ['is in the list and cannot be read', Infinity, 1, { 'moving/app': 'REG_MANIFEST_UNKNOWN' }],
])('a tag that %s', async (_what, lists, exit, codes) => {
  let listed = 0
  const body = (tags: readonly string[]): Answer => ({ status: 200, body: JSON.stringify({ tags }) })
  const moving = honest('moving/app', sampleImage('moving'), (_method, what) => {
    if (what === 'manifests/gone') return { status: 404 }
    if (what !== 'tags/list') return undefined
    listed += 1
    return body(listed > lists ? ['v1'] : ['v1', 'gone'])
  })
  expect(await syncFrom([moving], exit)).toEqual(codes)
  const names = Object.keys(await tagsIn(ends.destination.registry.storage, below))
  expect(names).toEqual([...good, moving].map(({ repository }) => `${below}/${repository}:v1`))
})

describe('a destination that lies', () => {
  beforeAll(() => storeImages(ends.source.registry.storage, good))

  const [first] = good
  /** Syncs to the destination behind a front that says what `lie` says about the first image. */
  async function syncTo(
    lie: (method: string, path: string) => Answer | undefined,
    ...flags: readonly string[]
  ) {
    const sinks = { host: '', port: '', name: '', six: '' }
    const lure = ({ method, url }: { method: string; url: string }) =>
      url.includes(`${below}/${first!.repository}/`) ? lie(method, url) : undefined
    await using front = await startHostileFront(ends.destination.registry.url, { lure, sinks })
    const ran = await regSync([
      `docker://${ends.source.registry.host}`,
      `docker://${front.host}/${below}`,
      ...['--retry-times', '1', '--retry-delay', '1ms', ...flags],
    ])
    expect(front.lured).toBeGreaterThan(0)
    const { images } = only<SyncReport>(ran, ran.exit).document
    const of = (repository: string) => {
      const image = images.find(({ destination }) => destination.repository === `${below}/${repository}`)!
      return image.error?.code ?? image.outcome
    }
    expect(of(good[1]!.repository)).toBe('copied')
    return [ran.exit, of(first!.repository)]
  }
  const { digest, mediaType, bytes } = first!.sample.manifest
  const claim: Answer = {
    status: 200,
    headers: {
      'docker-content-digest': digest,
      'content-type': mediaType,
      'content-length': String(bytes.length),
    },
  }

  test('that it has mounted a blob', async () => {
    const lie = (method: string, path: string) =>
      method === 'POST' && path.includes('mount=') ? { status: 201, headers: { location: '/' } } : undefined
    expect(await syncTo(lie)).toEqual([1, 'REG_REFUSED'])
  })

  test('that it took a manifest', async () => {
    const lie = (method: string, path: string) =>
      method === 'PUT' && path.includes('/manifests/')
        ? { status: 201, headers: { location: '/' } }
        : undefined
    expect(await syncTo(lie)).toEqual([82, 'REG_VERIFY_AFTER_PUSH'])
  })

  test('that it took a manifest, and that it has it', async () => {
    const lie = (method: string, path: string) => {
      if (!path.includes('/manifests/')) return undefined
      return method === 'GET'
        ? { status: 404 }
        : method === 'PUT'
          ? { status: 201, headers: { location: '/' } }
          : claim
    }
    expect(await syncTo(lie)).toEqual([82, 'REG_VERIFY_AFTER_PUSH'])
  })

  test('about the bytes that it keeps', async () => {
    const lie = (method: string, path: string) =>
      method === 'GET' && path.includes('/manifests/v1')
        ? { ...claim, body: Buffer.from(bytes.map((byte) => byte ^ 1)) }
        : undefined
    expect(await syncTo(lie)).toEqual([82, 'REG_VERIFY_AFTER_PUSH'])
  })

  test('about the digest that it took', async () => {
    const lie = (method: string, path: string) =>
      method === 'PUT' && path.includes('/manifests/')
        ? {
            status: 201,
            headers: { 'docker-content-digest': good[1]!.sample.manifest.digest, location: '/' },
          }
        : undefined
    expect(await syncTo(lie)).toEqual([82, 'DIGEST_MISMATCH'])
  })

  test('about blobs that are gone, which --verify deep finds', async () => {
    const lie = (method: string, path: string) =>
      method === 'HEAD' && path.includes('/blobs/') ? { status: 404 } : undefined
    expect(await syncTo(lie, '--verify', 'deep')).toEqual([82, 'REG_VERIFY_AFTER_PUSH'])
  })

  test('about blobs with a HEAD and without a GET, which --verify sample finds', async () => {
    const lie = (method: string, path: string) =>
      method === 'GET' && path.includes('/blobs/') ? { status: 404 } : undefined
    expect(await syncTo(lie, '--verify', 'sample:2')).toEqual([82, 'REG_VERIFY_AFTER_PUSH'])
  })

  test('about blobs of other bytes, which --verify sample finds', async () => {
    const lie = (method: string, path: string) =>
      method === 'GET' && path.includes('/blobs/')
        ? { status: 200, body: Buffer.alloc(first!.sample.blobs[1]!.descriptor.size) }
        : undefined
    expect(await syncTo(lie, '--verify', 'sample:2')).toEqual([82, 'REG_VERIFY_AFTER_PUSH'])
  })
})
