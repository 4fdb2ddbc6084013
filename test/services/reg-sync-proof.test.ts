import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SyncPlan, SyncReport } from '@carryall/schemas'
import { sampleImage, sampleIndex, type Sample } from '@carryall/oci/testing'
import { only } from '../support/ran.ts'
import { everythingIn } from '../support/registry-content.ts'
import { baseImages, type Named } from '../support/sample-set.ts'
import { servedDuring } from '../support/served.ts'
import { startServing } from '../support/serving.ts'
import { publish, startSyncSite, type SyncSite } from '../support/sync-site.ts'
import { regSync } from '../support/tools.ts'

let site: SyncSite
beforeEach(async () => {
  site = await startSyncSite(baseImages)
})
afterEach(() => site[Symbol.asyncDispose]())

const sync = (...flags: readonly string[]) =>
  regSync([`docker://${site.prod.host}`, `docker://${site.dr.host}`, ...flags])
const image = (name: string): Sample =>
  baseImages.find(({ repository, tag }) => `${repository}:${tag}` === name)!.sample
/** As a broken disk, or a garbage collection that was too eager, does it. */
const lose = (digest: string): Promise<void> => {
  const hex = digest.slice('sha256:'.length)
  return rm(join(site.dr.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex), {
    recursive: true,
  })
}

describe('a blob that the destination has lost', () => {
  const lost = image('team/zstd:v1').blobs[1]!.descriptor.digest
  const name = { repository: 'team/zstd', tag: 'v1' }
  beforeEach(async () => {
    only(await sync())
    await lose(lost)
  })

  test('is not seen by its tag', async () => {
    expect(only<SyncReport>(await sync('--check')).document.readiness.ready).toBe(true)
  })

  test.each(['deep', 'sample:100'])(
    'is found by a check with --verify %s, and the rest proven',
    async (mode) => {
      const { document } = only<SyncReport>(await sync('--check', '--verify', mode), 83)
      expect(document.readiness).toMatchObject({ ready: false, missing: 1 })
      const { true: proven, false: others } = Object.groupBy(
        document.images,
        ({ verified }) => `${verified === mode.split(':')[0]}` as 'true' | 'false',
      )
      expect(proven).toHaveLength(baseImages.length - 1)
      expect(others).toMatchObject([
        { destination: name, state: 'missing', error: { code: 'REG_VERIFY_AFTER_PUSH' } },
      ])
    },
  )

  test('is brought again by --verify deep, which says so', async () => {
    const plan = only<SyncPlan>(await sync('--verify', 'deep', '--dry-run')).document
    expect(plan.totals.copies).toBe(1)
    expect(plan.images.find(({ action }) => action === 'copy')).toMatchObject({
      destination: name,
      state: 'missing',
    })
    const { document, result } = only<SyncReport>(await sync('--verify', 'deep'))
    expect(result.changed).toBe(true)
    expect(document.totals).toMatchObject({ copied: 1, blobs_uploaded: 1, verified: baseImages.length })
    expect(await everythingIn(site.dr.host)).toEqual(await everythingIn(site.prod.host))
    expect(only(await sync('--verify', 'deep')).result.changed).toBe(false)
  })

  test('is told, and not mended, by --verify sample', async () => {
    const { document } = only<SyncReport>(await sync('--verify', 'sample:100'), 82)
    expect(document.totals).toMatchObject({ failed: 1, verified: baseImages.length - 1 })
  })
})

test('a manifest below an index that the destination has lost is brought again', async () => {
  only(await sync())
  await lose(image('team/app:multi').children[1]!.manifest.digest)
  const { document, result } = only<SyncReport>(await sync('--verify', 'deep'))
  expect(result.changed).toBe(true)
  expect(document.totals.copied).toBe(1)
  expect(await everythingIn(site.dr.host)).toEqual(await everythingIn(site.prod.host))
})

test('what --verify deep has asked for is not asked for twice', async () => {
  only(await sync())
  const served = await servedDuring(site.dr, async () => {
    only(await sync('--verify', 'deep'))
  })
  const asked = served.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path)
  expect(asked.length).toBeGreaterThan(10)
  expect(new Set(asked).size).toBe(asked.length)
})

test('a sample is as large as asked for', async () => {
  only(await sync())
  for (const flags of [['--check'], []]) {
    const { document } = only<SyncReport>(await sync('--verify', 'sample:3', ...flags))
    expect(document.images.filter(({ verified }) => verified === 'sample')).toHaveLength(3)
  }
})

describe('of some platforms', () => {
  const arm = sampleImage('web-arm', { architecture: 'arm64' })
  const images: readonly Named[] = [
    { repository: 'team/web', tag: 'multi', sample: sampleIndex([sampleImage('web'), arm]) },
    {
      repository: 'team/web',
      tag: 'other',
      sample: sampleIndex([sampleImage('a', { architecture: 's390x' }), sampleImage('b')]),
    },
    { repository: 'team/web', tag: 'single', sample: sampleImage('single') },
  ]
  const partly = (host: string, ...flags: readonly string[]) =>
    regSync([
      ...[`docker://${site.prod.host}/team/web`, `docker://${host}/web`],
      ...['--platform', 'linux/arm64', ...flags],
    ])
  beforeEach(() => publish(site.prod.host, images))

  test('reg-serve takes a part of an index, again and deep with nothing to do', async () => {
    await using served = await startServing(site.scratch.at('layout'))
    const { document } = only<SyncReport>(await partly(served.host))
    expect(document.images.map(({ destination }) => destination.tag)).toEqual(['multi', 'single'])
    await served.store.manifest('web', arm.manifest.digest)
    expect(await served.store.head('web', images[0]!.sample.children[0]!.manifest.digest)).toBeUndefined()
    // What has nothing for the platform has no place there.
    expect(await served.store.head('web', 'other')).toBeUndefined()
    const again = only<SyncReport>(await partly(served.host, '--verify', 'deep'))
    expect(again.result.changed).toBe(false)
    expect(again.document.totals).toMatchObject({ same: 2, verified: 2, failed: 0 })
    // Without the flag the rest comes.
    const whole = [`docker://${site.prod.host}/team/web`, `docker://${served.host}/web`, '--verify', 'deep']
    expect(only<SyncReport>(await regSync(whole)).document.totals).toMatchObject({ copied: 2, same: 1 })
  })

  test('a docker-registry takes no part of an index, and the hint says what to do', async () => {
    const ran = await partly(site.dr.host)
    const { document } = only<SyncReport>(ran, 1)
    const failed = document.images.filter(({ outcome }) => outcome === 'failed')
    expect(failed).toMatchObject([{ destination: { tag: 'multi' }, error: { code: 'REG_REFUSED' } }])
    expect(failed[0]!.error!.hint).toContain('--platform')
  })
})
