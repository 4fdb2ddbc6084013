import { readdir } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { sampleImage } from '@carryall/oci/testing'
import { writeConfig } from '../support/config.ts'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import { nameOf, type Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'
import { mirrorSeq, seqMeta, seqPush } from '../support/tools.ts'

const MIB = 2 ** 20
const images: readonly Named[] = ['one', 'two', 'three', 'four'].map((name) => ({
  repository: name,
  tag: '1',
  sample: sampleImage(name, { layers: [2 * MIB] }),
}))

let lane: Lane
let proxy: FaultProxy
let scratch: Scratch
let disk: SmallDisk

beforeAll(async () => {
  lane = await startLane(images)
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  scratch = await makeScratch()
  proxy = await startFaultProxy(lane.source.url)
  disk = await mountSmallDisk(scratch, 24)
  await writeConfig(
    scratch.at('isc.yaml'),
    images.map((image) => `${proxy.host}/${nameOf(image)}`),
  )
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await disk[Symbol.asyncDispose]()
  await scratch[Symbol.asyncDispose]()
})

const mirror = () =>
  mirrorSeq([
    '-c',
    scratch.at('isc.yaml'),
    '--content',
    `${disk.path}/content`,
    '--parallel-images',
    '1',
    '--parallel-layers',
    '1',
  ])
const blobGets = () =>
  proxy.requests
    .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    .map(({ path }) => path)

test('what cannot fit is refused before the first byte, with the numbers; once there is room, the same command works', async () => {
  await disk.fill(5 * MIB)
  const ran = await mirror()
  expect(failure(ran)).toEqual([74, 'IO_NO_SPACE'])
  expect(failureErrors(ran)[0]).toMatchObject({
    expected: expect.any(Number) as number,
    actual: expect.any(Number) as number,
  })
  expect(blobGets()).toEqual([])
  await disk.free()
  expect(only(await mirror()).result.changed).toBe(true)
  expect((await seqMeta(['verify', `${disk.path}/content`])).exit).toBe(0)
})

test('a disk that fills up on the way ends the run with 74; the next one fetches what is missing', async () => {
  let layers = 0
  proxy.faults = async ({ method, path }) => {
    // Another program takes the room while the third layer is on its way.
    if (method === 'GET' && path.includes('/three/blobs/') && layers++ === 0) await disk.fill(256 * 1024)
    return undefined
  }
  const ran = await mirror()
  expect(failure(ran)).toEqual([74, 'IO_NO_SPACE'])
  expect(failureErrors(ran)[0]!.hint).toBeDefined()
  expect((await readdir(`${disk.path}/content`)).filter((name) => !name.startsWith('.'))).toEqual([])
  await disk.free()
  const before = new Set(blobGets().slice(0, -1))
  const asked = blobGets().length
  expect(only(await mirror()).result.changed).toBe(true)
  expect(
    blobGets()
      .slice(asked)
      .filter((path) => before.has(path)),
  ).toEqual([])
  expect((await seqMeta(['verify', `${disk.path}/content`])).exit).toBe(0)
})

test('a run that is taken up again counts what is there already', async () => {
  proxy.faults = ({ method, path }) =>
    method === 'GET' && path.includes('/four/blobs/') ? { fault: 'status', status: 404 } : undefined
  expect(failure(await mirror())[0]).toBe(66)
  proxy.faults = () => undefined
  await disk.fill(3 * MIB)
  expect(only(await mirror()).result.changed).toBe(true)
})

test('a push into a layout for which there is no room writes nothing; one that runs out of it ends with 74 and can be repeated', async () => {
  let content = scratch.at('content')
  only(await mirrorSeq(['-c', scratch.at('isc.yaml'), '--content', content]))
  const push = () => seqPush([content, `oci:${disk.path}/layout`])
  await disk.fill(5 * MIB)
  const refused = await push()
  expect(failure(refused)).toEqual([74, 'IO_NO_SPACE'])
  expect(await readdir(`${disk.path}/layout/blobs/sha256`)).toEqual([])
  await disk.free()
  // Room for the bytes of many small blobs is not room for their files.
  const tiny: Named = {
    repository: 'tiny',
    tag: '1',
    sample: sampleImage('tiny', { layers: Array<number>(80).fill(20) }),
  }
  await lane.publish([tiny])
  await writeConfig(scratch.at('isc.yaml'), [`${proxy.host}/tiny:1`])
  only(await mirrorSeq(['-c', scratch.at('isc.yaml'), '--content', scratch.at('small')]))
  content = scratch.at('small')
  await disk.fill(160 * 1024)
  const cut = await push()
  expect(failure(cut)).toEqual([74, 'IO_NO_SPACE'])
  expect(failureErrors(cut)[0]!.message).not.toContain('Nothing was pushed')
  await disk.free()
  expect(only(await push()).result.changed).toBe(true)
  expect(only(await push()).result.changed).toBe(false)
})
