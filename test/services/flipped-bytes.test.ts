import { cp, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleImage } from '@carryall/oci/testing'
import { startLane } from '../support/lane.ts'
import { only } from '../support/ran.ts'
import { seqMeta } from '../support/tools.ts'

// In memory: each byte costs a run.
let memory: string
let directory: string

beforeAll(async () => {
  memory = await mkdtemp('/dev/shm/carryall-flip-')
  const image = { repository: 'a', tag: '1', sample: sampleImage('tiny', { layers: [10] }) }
  await using lane = await startLane([image])
  await lane.configure([image])
  const { result } = only(await lane.mirror())
  directory = join(memory, 'seq1-baseline')
  await cp(result.directory, directory, { recursive: true })
})

afterAll(() => rm(memory, { recursive: true, force: true }))

const LANES = 4
const FILES = [
  'SHA256SUMS',
  'blobs.ndjson',
  'images.ndjson',
  'imageset-config.yaml',
  'mirror_000001.tar',
  'seq-metadata.yaml',
]

test('the shipment is small, and these are all its files', async () => {
  expect((await readdir(directory)).toSorted()).toEqual(FILES)
  const sizes = await Promise.all(FILES.map(async (name) => (await stat(join(directory, name))).size))
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(20_000)
  expect((await seqMeta(['verify', directory])).exit).toBe(0)
})

test.each(FILES)('every byte of %s that is flipped is found', async (name) => {
  const exits = await Promise.all(Array.from({ length: LANES }, (_, lane) => flipEach(name, lane)))
  // Damaged, or no longer what a shipment looks like; never an error of ours.
  for (const exit of exits.flat()) expect([65, 66, 81, 82, 83]).toContain(exit)
})

/** Flips every `LANES`th byte in a copy of its own, one after the other, and gives the exit codes that came of it. */
async function flipEach(name: string, lane: number): Promise<readonly number[]> {
  const copy = join(memory, `${name}-${lane}`, 'seq1-baseline')
  await cp(directory, copy, { recursive: true })
  await using file = await open(join(copy, name), 'r+')
  const bytes = await file.readFile()
  const exits = new Set<number>()
  for (let at = lane; at < bytes.length; at += LANES) {
    await file.write(Buffer.from([bytes[at]! ^ (1 << (at % 8))]), 0, 1, at)
    const { exit } = await seqMeta(['verify', copy, '-q'])
    if (exit === 0) expect.fail(`Byte ${at} of ${name}`)
    exits.add(exit)
    await file.write(bytes, at, 1, at)
  }
  expect((await seqMeta(['verify', copy])).exit).toBe(0)
  return [...exits]
}
