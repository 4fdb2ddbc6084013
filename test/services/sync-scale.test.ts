import { symlink } from 'node:fs/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startHarbor, startQuay } from '@carryall/catalog/testing'
import type { SyncReport } from '@carryall/schemas'
import { startDockerRegistry } from '@carryall/oci/testing'
import { only } from '../support/ran.ts'
import { nameOf } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { servedDuring } from '../support/served.ts'
import { startSyncEnds, type SyncEnds, writeAuth } from '../support/sync-ends.ts'
import { failingNowAndThen } from '../support/sync-faults.ts'
import { syncSet } from '../support/sync-set.ts'
import { lacking, storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

const images = syncSet(270, 3)
const digests = Object.fromEntries(
  images.map((image) => [nameOf(image), image.sample.manifest.digest] as const),
)

/** All of them, in the storage of a registry. */
let stored: Scratch
beforeAll(async () => {
  stored = await makeScratch('/dev/shm')
  await storeImages(stored.path, images)
  return () => stored[Symbol.asyncDispose]()
})

test('60 % of the layers of the set are shared', () => {
  const all = images.flatMap(({ sample }) => sample.blobs.slice(1).map(({ descriptor }) => descriptor.digest))
  const counts = Map.groupBy(all, (digest) => digest)
  expect(images).toHaveLength(810)
  expect(all.filter((digest) => counts.get(digest)!.length > 1).length / all.length).toBeCloseTo(0.6)
})

describe('810 images', () => {
  let ends: SyncEnds
  beforeEach(async () => {
    ends = await startSyncEnds(stored.path)
  })
  afterEach(() => ends[Symbol.asyncDispose]())

  const sync = (...flags: readonly string[]) => regSync([...ends.operands, '--retry-delay', '10ms', ...flags])
  const fail = (share: number): void => {
    ends.source.proxy.faults = failingNowAndThen(1, share)
    ends.destination.proxy.faults = failingNowAndThen(2, share)
  }
  const injected = (): number =>
    [ends.source, ends.destination]
      .flatMap(({ proxy }) => Object.values(proxy.counts()))
      .reduce((a, b) => a + b)
  const expectAll = async (): Promise<void> => {
    const { storage } = ends.destination.registry
    expect(await tagsIn(storage)).toEqual(digests)
    expect((await Promise.all(images.map((image) => lacking(storage, image)))).flat()).toEqual([])
  }

  test('come over where one request of twenty fails', async () => {
    fail(0.05)
    const { document } = only<SyncReport>(await sync())
    expect(document.totals).toMatchObject({ copied: 810, failed: 0, verified: 810 })
    expect(document.readiness).toMatchObject({ ready: true, in_sync: 810 })
    expect(injected()).toBeGreaterThan(300)
    await expectAll()
  })

  test('come over but for what is refused where one of five fails; the rest is named, and comes later', async () => {
    const refused = images.filter((_, index) => index % 160 === 7).map(nameOf)
    expect(refused).toHaveLength(6)
    const journal = ['--journal', ends.scratch.at('journal.ndjson')]
    fail(0.2)
    const passing = ends.destination.proxy.faults
    const without = (names: readonly string[]): void => {
      const paths = names.map((name) => `/v2/${name.replace(':', '/manifests/')}`)
      ends.destination.proxy.faults = (request) =>
        request.method === 'PUT' && paths.includes(request.path)
          ? { fault: 'status', status: 500 }
          : passing(request)
    }
    without(refused)
    const first = only<SyncReport>(await sync(...journal), 1).document
    const failed = first.images.filter(({ outcome }) => outcome !== 'copied')
    expect(first.totals.copied).toBeGreaterThanOrEqual(802)
    expect(failed.map(({ destination: { repository, tag } }) => `${repository}:${tag}`)).toEqual(
      expect.arrayContaining(refused),
    )
    for (const { outcome, error } of failed)
      expect([outcome, error?.code]).toEqual(['failed', expect.stringMatching(/^NET_/)])
    expect(injected()).toBeGreaterThan(1500)

    ends.heal()
    const still = refused.slice(0, 2)
    ends.destination.proxy.faults = ({ method, path }) =>
      method === 'PUT' && still.some((name) => path.endsWith(name.replace(':', '/manifests/')))
        ? { fault: 'status', status: 500 }
        : undefined
    const again = only<SyncReport>(await sync('--retry-failed', journal[1]!), 1).document
    expect(again.images).toHaveLength(failed.length)
    expect(again.totals).toMatchObject({ copied: failed.length - 2, failed: 2 })

    ends.heal()
    const last = only<SyncReport>(await sync()).document
    expect(last.totals).toMatchObject({ copied: 2, same: 808, blobs_uploaded: 0 })
    await expectAll()
  })
})

describe('810 images that are there already', () => {
  test('cost one request for each tag at each side, and none for a blob', async () => {
    await using source = await startDockerRegistry({ storage: stored.path })
    await using destination = await startDockerRegistry({ storage: stored.path })
    let atSource: Awaited<ReturnType<typeof servedDuring>> = []
    const atDestination = await servedDuring(destination, async () => {
      atSource = await servedDuring(source, async () => {
        const ran = await regSync([`docker://${source.host}`, `docker://${destination.host}`])
        const { document, result } = only<SyncReport>(ran)
        expect(result.changed).toBe(false)
        expect(document.totals).toMatchObject({ same: 810, copied: 0 })
      })
    })
    for (const served of [atSource, atDestination]) {
      const paths = served.map(({ path }) => path)
      expect(paths.filter((path) => path.includes('/blobs/'))).toEqual([])
      const tags = paths.filter((path) => path.includes('/manifests/'))
      expect(tags).toHaveLength(810)
      expect(new Set(tags).size).toBe(810)
      // Two more to get in, and a list of tags for each repository.
      expect(served.length).toBeLessThanOrEqual(810 + 270 + 6)
    }
  })

  test('cost nothing but lists where the ends are Quay and Harbor', async () => {
    await using quay = await startQuay()
    await using harbor = await startHarbor({ projects: { team: {} } })
    for (const { store } of [quay, harbor]) await symlink(stored.at('docker'), `${store.storage}/docker`)
    await using scratch = await makeScratch()
    const authfile = await writeAuth(scratch.at('auth.json'), {
      [quay.host]: quay.robot,
      [harbor.host]: harbor.robot,
    })
    // Nothing in a list tells what is attached: where that goes along, Quay is asked for it image by image.
    const run = (
      from: { host: string },
      to: { host: string },
      side: 'SRC' | 'DEST',
      ...flags: readonly string[]
    ) =>
      regSync([`docker://${from.host}/team`, `docker://${to.host}/team`, '--authfile', authfile, ...flags], {
        env: { [`CARRYALL_${side}_API_TOKEN`]: quay.apiToken },
      })
    const bare = '--attachments=false'
    for (const ran of [await run(quay, harbor, 'SRC', bare), await run(harbor, quay, 'DEST', bare)]) {
      const { document, result } = only<SyncReport>(ran)
      expect(result.changed).toBe(false)
      expect(document.totals).toMatchObject({ same: 810, copied: 0, failed: 0 })
    }
    for (const { requests } of [quay, harbor]) {
      const lists = requests.filter(({ path }) => path.startsWith('/api/'))
      // For each of the two runs three pages of repositories, one of tags for each of them, and the question what there is.
      expect(lists.length).toBeLessThanOrEqual(2 * (270 + 3 + 2))
      expect(requests.length - lists.length).toBeLessThanOrEqual(2 * 2)
    }
    const before = harbor.requests.length
    expect(only(await run(quay, harbor, 'SRC')).result.changed).toBe(false)
    expect(quay.requests.filter(({ path }) => path.includes('/referrers/'))).toHaveLength(810)
    expect(
      harbor.requests.slice(before).filter(({ path }) => !path.startsWith('/api/')).length,
    ).toBeLessThanOrEqual(2)
    expect(
      [...quay.requests, ...harbor.requests].filter(({ path }) => /\/(?:manifests|blobs)\//.test(path)),
    ).toEqual([])
  })
})
