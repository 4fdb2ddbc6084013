import { mkdir, mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sampleBlob } from '@carryall/oci/testing'
import { layOut } from '@carryall/sequence'
import { stageArchives } from './stage-blobs.ts'

const KIB_IN_GIB = 2 ** -20
const blobs = ['a', 'b', 'c'].map((seed) => sampleBlob({ seed, size: 3000 }))
const descriptors = blobs.map(({ descriptor }) => ({
  digest: descriptor.digest,
  size: descriptor.size,
  media_type: descriptor.mediaType,
}))
const { archives, held } = layOut([], descriptors, new Set(), { archiveGiB: 6 * KIB_IN_GIB })
const plan = {
  images: [],
  blobs: [...held],
  archives: archives.map(({ name, size }) => ({ name, size_bytes: size })),
}

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stage-'))
})

afterEach(() => rm(directory, { recursive: true }))

/** Descriptors of this process, those of the hashing thread among them, that are open below the directory. */
async function open(): Promise<readonly string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return (await Promise.all(links)).filter((path) => path.startsWith(directory))
}

test('where one archive cannot be staged none stays open, so that the process can end', async () => {
  expect(plan.archives).toHaveLength(3)
  await mkdir(join(directory, plan.archives[2]!.name))
  await expect(stageArchives(plan, directory)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  await expect.poll(open).toEqual([])
})

test('what is abandoned is closed, all of it and once, and stays for the next run', async () => {
  const staged = await stageArchives(plan, directory)
  await expect.poll(async () => (await open()).length).toBe(6)
  const [first] = staged.blobs
  const { bytes } = blobs.find(({ descriptor }) => descriptor.digest === first!.digest)!
  await staged.write(first!, 0, bytes)
  staged.finish(first!)
  await staged.abandon()
  await expect.poll(open).toEqual([])
  await staged.abandon()
  expect((await readdir(directory)).toSorted()).toEqual(plan.archives.map(({ name }) => name))
})
