import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PushReport, Receipt } from '@carryall/schemas'
import { sampleImage, sampleIndex, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { randomFaults } from '../support/fault-rules.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, only } from '../support/ran.ts'
import { nameOf, type Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { rawManifest } from '../support/skopeo.ts'
import { seqPush } from '../support/tools.ts'

const images: readonly Named[] = [
  { repository: 'large', tag: '1', sample: sampleImage('large', { layers: [600_000, 500] }) },
  {
    repository: 'multi',
    tag: '1',
    sample: sampleIndex([sampleImage('m'), sampleImage('m-arm', { architecture: 'arm64' })]),
  },
  { repository: 'small', tag: '1', sample: sampleImage('small') },
]

let lane: Lane
let directory: string
let target: DockerRegistry
let proxy: FaultProxy
let scratch: Scratch

beforeAll(async () => {
  lane = await startLane(images)
  await lane.configure(images)
  directory = only(await lane.mirror()).result.directory
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  scratch = await makeScratch()
  target = await startDockerRegistry({ relativeUrls: true })
  proxy = await startFaultProxy(target.url)
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await target.stop()
  await scratch[Symbol.asyncDispose]()
})

const push = (...flags: readonly string[]) =>
  seqPush([
    directory,
    `docker://${proxy.host}`,
    '--retry-delay',
    '1ms',
    '--receipt',
    scratch.at('receipt.json'),
    ...flags,
  ])
const receipt = async () => JSON.parse(await readFile(scratch.at('receipt.json'), 'utf8')) as Receipt

async function expectAll(): Promise<void> {
  for (const image of images)
    expect(await rawManifest(`docker://${target.host}/${nameOf(image)}`)).toEqual(image.sample.manifest.bytes)
}

describe('a destination that fails', () => {
  test.each([1, 2, 3])('now and then, in all ways, gets everything in the end (seed %i)', async (seed) => {
    proxy.faults = randomFaults(seed, 0.3, 3)
    const { document } = only<PushReport>(await push('--retry-times', '8'))
    expect(document.totals).toMatchObject({ failed: 0, conflicts: 0 })
    expect(proxy.requests.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(3)
    proxy.faults = () => undefined
    await expectAll()
    expect(only(await push()).result.changed).toBe(false)
    expect((await receipt()).chains[0]).toMatchObject({ shipments: [{ state: 'complete' }] })
  })

  test('for one image gets the others; the receipt says what is missing, and the next push sends only that', async () => {
    proxy.faults = ({ method, path }) =>
      method === 'PUT' && path.includes('/large/manifests/') ? { fault: 'status', status: 500 } : undefined
    const ran = await push('--retry-times', '1')
    const { document, result } = only<PushReport>(ran, 1)
    expect(result).toMatchObject({ ok: false, changed: true })
    expect(document.images.map(({ outcome }) => outcome)).toEqual(['failed', 'pushed', 'pushed'])
    expect(document.images[0]).toMatchObject({ error: { code: 'NET_UNAVAILABLE' } })
    expect((await receipt()).chains).toMatchObject([
      { head: { sequence_number: 1 }, shipments: [{ state: 'partial' }] },
    ])
    proxy.faults = () => undefined
    const again = only<PushReport>(await push()).document
    expect(again.totals).toMatchObject({ pushed: 1, same: 2, blobs_uploaded: 0 })
    expect((await receipt()).chains[0]).toMatchObject({
      shipments: [{ state: 'complete', missing_bytes: 0 }],
    })
    await expectAll()
  })

  test.each([
    ['that permits nothing', { fault: 'status', status: 403 } as const, 77],
    ['that is always busy', { fault: 'status', status: 429 } as const, 75],
  ])('%s gets nothing', async (_name, fault, exit) => {
    proxy.faults = () => fault
    expect((await push('--retry-times', '1')).exit).toBe(exit)
    await expect(readFile(scratch.at('receipt.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('that is down gets nothing', async () => {
    await target.stop()
    expect(failure(await push('--retry-times', '1'))).toEqual([69, 'NET_UNAVAILABLE'])
  })

  test('to keep what it was sent is found out', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`
    proxy.faults = ({ method, path }) =>
      method === 'GET' && path.endsWith('/small/manifests/1') ? { fault: 'digest', digest: wrong } : undefined
    const { document } = only<PushReport>(await push('--retry-times', '1'), 1)
    expect(document.images.find(({ reference }) => reference.endsWith('small:1'))).toMatchObject({
      outcome: expect.stringMatching(/failed|conflict/) as string,
    })
  })

  test('that is read-only says so', async () => {
    await using readOnly = await startDockerRegistry({ readOnly: true })
    const ran = await seqPush([directory, `docker://${readOnly.host}`, '--retry-times', '0'])
    const { document } = only<PushReport>(ran, 69)
    expect(document.totals).toMatchObject({ failed: 3, pushed: 0 })
    expect(ran.stderr).toContain('405')
  })

  test('that nobody knows is an error of the network', async () => {
    expect(failure(await seqPush([directory, 'docker://127.0.0.1:9', '--retry-times', '0']))).toEqual([
      69,
      'NET_UNAVAILABLE',
    ])
  })
})

test('a restart of the destination in the middle of a push is got over', async () => {
  let restarted: Promise<void> | undefined
  const { storage, port } = target
  proxy.faults = async ({ method, path }) => {
    if (method === 'PUT' && path.includes('/large/blobs/') && restarted === undefined) {
      restarted = (async () => {
        await target.stop()
        target = await startDockerRegistry({ storage, port, relativeUrls: true })
      })()
    }
    await restarted
    return undefined
  }
  // The storage goes with the first registry, as if its disk had been exchanged.
  expect([0, 1]).toContain((await push()).exit)
  proxy.faults = () => undefined
  expect((await push()).exit).toBe(0)
  await expectAll()
})
