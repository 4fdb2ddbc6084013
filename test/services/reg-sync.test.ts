import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SyncPlan, SyncReport } from '@carryall/schemas'
import { pushSample, sampleImage, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { failure, only } from '../support/ran.ts'
import { attachments, baseImages, laterImages, publishSamples, type Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { openStores } from '../support/stores.ts'
import { everythingIn } from '../support/registry-content.ts'
import { regSync } from '../support/tools.ts'

// Two docker-registries, one of which is kept equal to the other.
let prod: DockerRegistry
let dr: DockerRegistry
let scratch: Scratch
beforeEach(async () => {
  prod = await startDockerRegistry()
  dr = await startDockerRegistry()
  scratch = await makeScratch()
  await publish(prod, baseImages)
})
afterEach(async () => {
  await prod.stop()
  await dr.stop()
  await scratch[Symbol.asyncDispose]()
})

async function publish(registry: DockerRegistry, samples: readonly Named[]): Promise<void> {
  const stores = await openStores()
  await publishSamples(stores.registry(registry.host), samples)
  await stores.close()
}

const ends = (): readonly [string, string] => [`docker://${prod.host}`, `docker://${dr.host}`]
const sync = (...flags: readonly string[]) => regSync([...ends(), ...flags])
const equal = async (): Promise<void> =>
  expect(await everythingIn(dr.host)).toEqual(await everythingIn(prod.host))

describe('a first run', () => {
  test('brings everything, with what is attached, and a second one changes nothing', async () => {
    await publish(prod, attachments)
    const { document, result } = only<SyncReport>(await sync())
    expect(result).toMatchObject({ ok: true, changed: true })
    expect(document.readiness).toMatchObject({ ready: true, missing: 0, diverged: 0, extra: 0 })
    await equal()
    const before = dr.requests().length
    const again = only<SyncReport>(await sync())
    expect(again.result).toMatchObject({ ok: true, changed: false })
    expect(again.document.totals).toMatchObject({ copied: 0, blobs_uploaded: 0, uploaded_bytes: 0 })
    const asked = dr.requests().slice(before)
    expect(asked.filter(({ path }) => path.includes('/blobs/'))).toEqual([])
    expect(asked.filter(({ method }) => method !== 'HEAD' && method !== 'GET')).toEqual([])
    const tags = asked.filter(({ path }) => path.includes('/manifests/'))
    expect(new Set(tags.map(({ path }) => path)).size).toBe(tags.length)
  })

  test('with --dry-run prints the plan and writes nothing', async () => {
    const { document, result } = only<SyncPlan>(await sync('--dry-run'))
    expect(document).toMatchObject({ kind: 'SyncPlan', totals: { missing: baseImages.length, same: 0 } })
    expect(result).toMatchObject({ changed: true })
    expect(dr.requests().filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([])
  })

  test('below a path goes below another path', async () => {
    only(await regSync([`docker://${prod.host}/team`, `docker://${dr.host}/mirror/of`]))
    const names = Object.keys(await everythingIn(dr.host))
    expect(names.length).toBeGreaterThan(0)
    expect(names.every((name) => name.startsWith('mirror/of/'))).toBe(true)
  })

  test('of one image gives it the name that was asked for', async () => {
    only(await regSync([`docker://${prod.host}/team/app:1.0`, `docker://${dr.host}/other/name:2.0`]))
    expect(Object.keys(await everythingIn(dr.host))).toEqual(['other/name:2.0'])
  })
})

describe('a tag that differs', () => {
  beforeEach(async () => {
    only(await sync())
    const stores = await openStores()
    await pushSample(stores.registry(prod.host), 'team/app', sampleImage('moved'), '1.0')
    await stores.close()
  })

  test('is left as it is, and said to be', async () => {
    const before = await everythingIn(dr.host)
    const ran = await sync()
    const { document, result } = only<SyncReport>(ran, 84)
    expect(result.changed).toBe(false)
    expect(document.images.filter(({ outcome }) => outcome === 'conflict')).toHaveLength(1)
    expect(document.readiness).toMatchObject({ ready: false, diverged: 1 })
    expect(await everythingIn(dr.host)).toEqual(before)
  })

  test('moves where a policy says so, and its old digest keeps a name', async () => {
    const old = (await everythingIn(dr.host))['team/app:1.0']
    const { document } = only<SyncReport>(await sync('--policy', '1.*=move', '--backup', '{tag}-{digest}'))
    const moved = document.images.find(({ outcome }) => outcome === 'moved')
    expect(moved).toMatchObject({ previous_digest: old, destination: { tag: '1.0' } })
    const after = await everythingIn(dr.host)
    expect(after[`team/app:${moved!.backup_tag!}`]).toBe(old)
    expect(after['team/app:1.0']).toBe((await everythingIn(prod.host))['team/app:1.0'])
  })

  test('is a class of its own in a check', async () => {
    await publish(prod, laterImages)
    const ran = await sync('--check')
    const { document } = only<SyncReport>(ran, 84)
    expect(document).toMatchObject({ mode: 'check', readiness: { ready: false, diverged: 1, missing: 2 } })
    only<SyncReport>(await sync('--policy', '1.0=move'))
    expect(only<SyncReport>(await sync('--check')).document.readiness.ready).toBe(true)
  })
})

describe('a plan', () => {
  const planFile = () => scratch.at('plan.json')
  const plan = async (...flags: readonly string[]) =>
    only<SyncPlan>(await regSync(['plan', ...ends(), '--result', planFile(), ...flags]))

  test('is applied later, and again with nothing to do', async () => {
    const { document } = await plan()
    expect(document.totals.unique_bytes).toBeLessThanOrEqual(document.totals.bytes)
    expect(only(await regSync(['apply', planFile()])).result.changed).toBe(true)
    await equal()
    expect(only(await regSync(['apply', planFile()])).result.changed).toBe(false)
  })

  test('is refused for what has moved since', async () => {
    await plan()
    const stores = await openStores()
    await pushSample(stores.registry(prod.host), 'team/app', sampleImage('moved'), '1.0')
    await pushSample(stores.registry(dr.host), 'team/zstd', sampleImage('other'), 'v1')
    await stores.close()
    const { document } = only<SyncReport>(await regSync(['apply', planFile()]), 1)
    const outcomes = new Map(
      document.images.map(({ destination: { repository, tag }, error }) => [
        `${repository}:${tag}`,
        error?.code,
      ]),
    )
    expect(outcomes.get('team/app:1.0')).toBe('SYNC_SOURCE_MOVED')
    expect(outcomes.get('team/zstd:v1')).toBe('TAG_CONFLICT')
    expect(document.totals.copied).toBe(baseImages.length - 2)
  })

  test('is done in parts that together are all of it', async () => {
    await plan()
    const reports: string[] = []
    for (const index of [1, 2, 3]) {
      const file = scratch.at(`report${index}.json`)
      only(await regSync(['apply', planFile(), '--shard', `${index}/3`, '--result', file]))
      reports.push(file)
    }
    const { document } = only<SyncReport>(await regSync(['merge', ...reports]))
    expect(document.totals.copied).toBe(baseImages.length)
    await equal()
    expect(failure(await regSync(['merge', reports[0]!, reports[2]!]))[0]).toBe(83)
  })
})

describe('what is extra', () => {
  beforeEach(async () => {
    only(await sync())
    await publish(dr, laterImages)
  })

  test('is told and kept', async () => {
    const { document } = only<SyncReport>(await sync())
    expect(document.readiness).toMatchObject({ ready: true, extra: 2 })
    expect(Object.keys(await everythingIn(dr.host))).toContain('team/new:v1')
  })

  test('is deleted where that is asked for, up to a limit', async () => {
    expect(failure(await sync('--delete-extra', '--max-delete', '1'))).toEqual([84, 'SYNC_DELETE_LIMIT'])
    expect(Object.keys(await everythingIn(dr.host))).toContain('team/new:v1')
    const { document } = only<SyncReport>(await sync('--delete-extra'))
    expect(document.totals.deleted).toBe(2)
    await equal()
  })

  test('is not known where only the newest are looked at', async () => {
    expect(only<SyncReport>(await sync('--newest', '1', '--delete-extra')).document.totals.deleted).toBe(0)
  })
})

describe('other ends', () => {
  test('a layout and an archive carry the same', async () => {
    const [layout, archive] = [`oci:${scratch.at('layout')}`, `oci-archive:${scratch.at('all.tar')}`]
    only(await regSync([`docker://${prod.host}`, layout]))
    only(await regSync([layout, archive]))
    expect(only(await regSync([layout, archive])).result.changed).toBe(false)
    only(await regSync([archive, `docker://${dr.host}`]))
    await equal()
  })
})
