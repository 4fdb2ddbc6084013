import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ImageLine, MirrorPlan, Sequence } from '@carryall/schemas'
import type { Ran } from '@carryall/cli/testing'
import { sampleBlob, sampleImage, type SampleBlob } from '@carryall/oci/testing'
import { writeConfig } from '../support/config.ts'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, only } from '../support/ran.ts'
import { digestsOf, nameOf, type Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { mirrorSeq, seqMeta } from '../support/tools.ts'

// An uncompressed layer ends in zeros, as every tar does.
const plainTar: SampleBlob = sampleBlob(
  Buffer.concat([Buffer.alloc(20_000, 'tar'), Buffer.alloc(10_240)]),
  'application/vnd.oci.image.layer.v1.tar',
)
const steady: Named = {
  repository: 'steady',
  tag: '1',
  sample: sampleImage('steady', { layers: [50_000, 60_000], shared: [plainTar] }),
}
const moving: Named = { repository: 'moving', tag: 'latest', sample: sampleImage('before') }
const moved: Named = { ...moving, sample: sampleImage('after') }
const broken: Named = { repository: 'broken', tag: '1', sample: sampleImage('broken') }

let lane: Lane
let proxy: FaultProxy
let scratch: Scratch

beforeAll(async () => {
  lane = await startLane([steady, broken])
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  scratch = await makeScratch()
  await lane.publish([moving])
  proxy = await startFaultProxy(lane.source.url)
  await configure(steady, moving, broken)
  breakImage()
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await scratch[Symbol.asyncDispose]()
})

const configure = (...images: readonly Named[]) =>
  writeConfig(
    scratch.at('isc.yaml'),
    images.map((image) => `${proxy.host}/${nameOf(image)}`),
  )
const mirror = (...flags: readonly string[]): Promise<Ran> =>
  mirrorSeq(['-c', scratch.at('isc.yaml'), '--content', scratch.at('content'), ...flags])
const breakImage = () =>
  void (proxy.faults = ({ path, method }) =>
    method === 'GET' && path.includes('/broken/blobs/') ? { fault: 'status', status: 404 } : undefined)
const mend = () => void (proxy.faults = () => undefined)

/** What was asked of the source while `work` ran, but for the greeting. */
async function askedBy(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = proxy.requests.length
  await work()
  return proxy.requests
    .slice(before)
    .map(({ path }) => path)
    .filter((path) => path !== '/v2/')
}

async function imagesOf(directory: string): Promise<readonly ImageLine[]> {
  return (await readFile(join(directory, 'images.ndjson'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ImageLine)
}

async function stagingOf(): Promise<string> {
  const [id] = await readdir(scratch.at('content', '.carryall', 'staging'))
  return scratch.at('content', '.carryall', 'staging', id!)
}

test('a tag that moves between a run and its resumption is kept as it was pinned', async () => {
  expect(failure(await mirror())).toEqual([66, 'REG_BLOB_UNKNOWN'])
  await lane.publish([moved])
  mend()
  let ran: Ran | undefined
  const asked = await askedBy(async () => (ran = await mirror()))
  const { result } = only<Sequence>(ran!)
  expect((await imagesOf(result.directory)).find(({ repository }) => repository === 'moving')?.digest).toBe(
    moving.sample.descriptor.digest,
  )
  expect(asked.toSorted()).toEqual(
    [...digestsOf(broken.sample).blobs].map((digest) => `/v2/broken/blobs/${digest}`).toSorted(),
  )
  // The run after it sees that the tag has moved.
  const next = only<Sequence>(await mirror())
  expect(next.result.changed).toBe(true)
  expect(
    (await imagesOf(next.result.directory)).find(({ repository }) => repository === 'moving')?.digest,
  ).toBe(moved.sample.descriptor.digest)
})

test('--restart pins anew and uses what was fetched', async () => {
  expect(failure(await mirror())[0]).toBe(66)
  await lane.publish([moved])
  mend()
  let ran: Ran | undefined
  const asked = await askedBy(async () => (ran = await mirror('--restart')))
  const { result } = only<Sequence>(ran!)
  expect((await imagesOf(result.directory)).find(({ repository }) => repository === 'moving')?.digest).toBe(
    moved.sample.descriptor.digest,
  )
  expect(asked.filter((path) => path.includes('/steady/blobs/'))).toEqual([])
})

test('an image that fails is named; without it the others are taken from what was fetched', async () => {
  const ran = await mirror()
  expect(failure(ran)).toEqual([66, 'REG_BLOB_UNKNOWN'])
  expect(ran.stderr).toContain('broken:1')
  await configure(steady, moving)
  let again: Ran | undefined
  const asked = await askedBy(async () => (again = await mirror()))
  expect(asked.filter((path) => path.includes('/blobs/'))).toEqual([])
  const { document } = only<Sequence>(again!)
  expect(document).toMatchObject({ sequence_number: 1, images: 2 })
  expect((await seqMeta(['verify', scratch.at('content')])).exit).toBe(0)
  expect(await readdir(scratch.at('content', '.carryall', 'staging'))).toEqual([])
})

test('a run with --expires in days is the same run a moment later', async () => {
  expect(failure(await mirror('--expires', '90d'))[0]).toBe(66)
  mend()
  const asked = await askedBy(async () => only(await mirror('--expires', '90d')))
  expect(asked.filter((path) => !path.includes('/broken/blobs/'))).toEqual([])
})

test('what is damaged in staging is fetched again, and what does not belong there goes', async () => {
  expect(failure(await mirror())[0]).toBe(66)
  mend()
  const staging = await stagingOf()
  const plan = JSON.parse(await readFile(join(staging, 'plan.json'), 'utf8')) as MirrorPlan
  const layer = steady.sample.blobs.find((blob) => blob.diffId !== undefined)!.descriptor.digest
  const held = plan.blobs.find((blob) => blob.digest === layer)
  if (held === undefined || !('archive' in held)) throw new Error('The layer is not planned')
  const archive = await open(join(staging, 'tree', held.archive), 'r+')
  await archive.write(Buffer.from('damage'), 0, 6, held.offset + 100)
  await archive.close()
  await writeFile(join(staging, 'tree', '.carryall-tmp-0123456789abcdef01234567'), 'half of an index')
  await writeFile(join(staging, '.carryall-tmp-0123456789abcdef01234568'), 'half of a plan')
  await writeFile(
    scratch.at('content', '.carryall', '.carryall-tmp-0123456789abcdef01234569'),
    'half of a head',
  )
  const asked = await askedBy(async () => only(await mirror()))
  expect(asked.filter((path) => path.includes('/steady/'))).toEqual([`/v2/steady/blobs/${layer}`])
  expect((await seqMeta(['verify', scratch.at('content')])).exit).toBe(0)
  expect((await readdir(scratch.at('content', '.carryall'))).toSorted()).toEqual([
    'head.json',
    'lock',
    'staging',
  ])
  expect(await readdir(scratch.at('content', '.carryall', 'staging'))).toEqual([])
})

test('a plan that was cut is made anew', async () => {
  expect(failure(await mirror())[0]).toBe(66)
  mend()
  const file = join(await stagingOf(), 'plan.json')
  await writeFile(file, (await readFile(file)).subarray(0, 500))
  expect(only<Sequence>(await mirror()).result.changed).toBe(true)
  expect((await seqMeta(['verify', scratch.at('content')])).exit).toBe(0)
})

test('an earlier sequence that is damaged is not believed: a new baseline fetches what it cannot copy', async () => {
  mend()
  const first = only<Sequence>(await mirror()).result.directory
  const archive = await open(join(first, 'mirror_000001.tar'), 'r+')
  const { size } = await archive.stat()
  for (let at = 0; at < size; at += 2000) {
    const { buffer } = await archive.read(Buffer.alloc(1), 0, 1, at)
    await archive.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, at)
  }
  await archive.close()
  const { document, result } = only<Sequence>(await mirror('--new-baseline'))
  expect(document).toMatchObject({ complete: true })
  expect((await seqMeta(['verify', result.directory])).exit).toBe(0)
  expect((await seqMeta(['verify', first])).exit).toBe(82)
})

test('an earlier sequence without its archives lends nothing', async () => {
  mend()
  const first = only<Sequence>(await mirror()).result.directory
  const archive = await open(join(first, 'mirror_000001.tar'), 'r+')
  await archive.truncate(1000)
  await archive.close()
  await configure(steady, moving)
  expect(failure(await mirror())).toEqual([82, 'FILE_MISSING'])
  expect(only<Sequence>(await mirror('--new-baseline')).document).toMatchObject({
    sequence_number: 2,
    complete: true,
  })
})
