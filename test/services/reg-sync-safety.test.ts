import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { API_VERSION, toYaml, type Image, type SyncPlan, type SyncReport } from '@carryall/schemas'
import { sampleImage } from '@carryall/oci/testing'
import { failure, failureErrors, only } from '../support/ran.ts'
import { everythingIn } from '../support/registry-content.ts'
import type { Named } from '../support/sample-set.ts'
import { publish, startSyncSite, type SyncSite } from '../support/sync-site.ts'
import { regSync } from '../support/tools.ts'

// What a sync must refuse before it does harm, or must not take for success.
const images: readonly Named[] = [
  { repository: 'team/app', tag: '1.0', sample: sampleImage('app') },
  { repository: 'team/web', tag: '1.0', sample: sampleImage('web') },
  { repository: 'legacy/app', tag: '1.0', sample: sampleImage('legacy') },
]
let site: SyncSite
beforeEach(async () => {
  site = await startSyncSite(images)
})
afterEach(() => site[Symbol.asyncDispose]())

const prod = (path = ''): string => `docker://${site.prod.host}${path}`
const dr = (path = ''): string => `docker://${site.dr.host}${path}`
const configured = async (sync: readonly object[], ...flags: readonly string[]) => {
  const file = site.scratch.at('sync.yaml')
  await writeFile(file, toYaml({ apiVersion: API_VERSION, kind: 'SyncConfig', sync }))
  return regSync(['-c', file, ...flags])
}
const atDr = async () => Object.keys(await everythingIn(site.dr.host))
const lines = (...documents: readonly object[]): string =>
  documents.map((one) => JSON.stringify({ apiVersion: API_VERSION, ...one })).join('\n')
const image = (more: Partial<Image> = {}): object => ({
  kind: 'Image',
  registry: site.prod.host,
  repository: 'team/app',
  tag: '1.0',
  ...more,
})

describe('two sources of one tag', () => {
  test('are refused where a map makes them, and nothing is written', async () => {
    const pathMap = [
      { from: 'team/app', to: 'one' },
      { from: 'team/web', to: 'one' },
    ]
    const ran = await configured([{ source: prod(), destination: dr(), path_map: pathMap }])
    expect(failure(ran)).toEqual([78, 'CONFIG_INVALID'])
    expect(await atDr()).toEqual([])
  })

  test('are refused where two pairs make them, whatever their digests are', async () => {
    const pairs = ['/team', '/legacy'].map((path) => ({ source: prod(path), destination: dr('/all') }))
    expect(failure(await configured(pairs))).toEqual([78, 'CONFIG_INVALID'])
  })

  test('are refused where a list of two registries makes them', async () => {
    await publish(site.dr.host, images.slice(0, 1))
    const list = lines(image(), image({ registry: site.dr.host }))
    expect(failure(await regSync(['-', dr('/copy')], { stdin: list }))).toEqual([78, 'CONFIG_INVALID'])
  })

  test('are none where it is the same image twice', async () => {
    const list = lines(image(), image())
    const { document } = only<SyncReport>(await regSync(['-', dr()], { stdin: list }))
    expect(document.totals).toMatchObject({ copied: 1 })
    const pairs = [
      { source: prod('/team'), destination: dr('/team') },
      { source: prod(), destination: dr() },
    ]
    expect(only<SyncReport>(await configured(pairs)).document.readiness).toMatchObject({
      ready: true,
      images: 3,
    })
    expect(await everythingIn(site.dr.host)).toEqual(await everythingIn(site.prod.host))
  })
})

describe('what is extra', () => {
  test('is not what another pair brings', async () => {
    const pairs = [
      { source: prod('/team'), destination: dr('/all') },
      { source: prod('/legacy'), destination: dr('/all/legacy') },
    ]
    only(await configured(pairs))
    const { document } = only<SyncReport>(await configured(pairs, '--delete-extra'))
    expect(document.totals).toMatchObject({ deleted: 0, same: 3 })
    expect(await atDr()).toHaveLength(3)
  })

  test('is not told, and so not deleted, by one who sees the newest only', async () => {
    only(await regSync([prod(), dr()]))
    await publish(site.dr.host, [{ repository: 'team/app', tag: '0.9', sample: sampleImage('old') }])
    const ran = await regSync([prod(), dr(), '--newest', '1', '--delete-extra'])
    expect(only<SyncReport>(ran).document.totals.deleted).toBe(0)
    expect(ran.stderr).toContain('Nothing is deleted')
    expect(await atDr()).toContain('team/app:0.9')
  })
})

describe('a destination that is the source', () => {
  test.each<readonly [source: string, destination: string]>([
    ['', ''],
    ['/team', '/team'],
    ['/team/app:1.0', ''],
    ['/team/app:1.0', '/team/app'],
    ['/team', '/team/mirror'],
    ['', '/mirror'],
  ])('%s to %s is refused', async (source, destination) => {
    expect((await regSync([prod(source), prod(destination)])).exit).toBe(64)
  })

  test('is refused in a configuration, with its place there', async () => {
    const good = { source: prod('/legacy'), destination: dr() }
    const ran = await configured([good, { source: prod(), destination: prod() }])
    expect(ran.exit).toBe(78)
    expect(failureErrors(ran)[0]).toMatchObject({ code: 'CONFIG_INVALID', pointer: '#/sync/1' })
  })

  test('is none where the source leaves it out, or under another name', async () => {
    const without = ['--exclude-repository', '{mirror,mirror/**}']
    only(await regSync([prod('/team'), prod('/team/mirror'), ...without]))
    const again = only(await regSync([prod('/team'), prod('/team/mirror'), ...without]))
    expect(again.result.changed).toBe(false)
    only(await regSync([prod('/team/app:1.0'), prod('/team/app:stable')]))
    expect(Object.keys(await everythingIn(site.prod.host))).toContain('team/app:stable')
  })

  test('takes its blobs by mounting them', async () => {
    const { document } = only<SyncReport>(await regSync([prod('/team'), prod('/copy')]))
    expect(document.totals).toMatchObject({ copied: 2, blobs_uploaded: 0 })
    expect(document.totals.blobs_mounted).toBeGreaterThan(0)
  })
})

describe('nothing to copy', () => {
  test.each<readonly string[]>([
    ['/nosuch'],
    ['', '--repository', 'teem/*'],
    ['/team/nosuch/deeper', '--check'],
  ])('is no success where there is nothing at all: %j', async (path, ...flags) => {
    expect(failure(await regSync([prod(path), dr(), ...flags]))).toEqual([66, 'INPUT_EMPTY'])
  })

  test('is one where filters of tags leave nothing', async () => {
    expect(only(await regSync([prod(), dr(), '--tag', 'nightly*'])).result.changed).toBe(false)
  })

  test('a pair that cannot be compared does not hold up the others', async () => {
    const pairs = [
      { source: 'docker://127.0.0.1:1/team', destination: dr('/down') },
      { source: prod('/team'), destination: dr('/team') },
    ]
    const { document } = only<SyncReport>(await configured(pairs, '--retry-times', '0'), 1)
    expect(document.totals).toMatchObject({ copied: 2 })
    expect(document.readiness.ready).toBe(false)
    expect(document.pairs.map(({ error }) => error?.code)).toEqual(['NET_UNAVAILABLE', undefined])
    expect((await configured(pairs, '--check', '--retry-times', '0')).exit).toBe(83)
  })
})

describe('a list on stdin', () => {
  test('with an image that nothing names is refused', async () => {
    const ran = await regSync(['-', dr()], { stdin: lines(image({ tag: undefined })) })
    expect(failure(ran)).toEqual([65, 'SCHEMA_INVALID'])
  })

  test('that did not come to its end is not the whole source', async () => {
    const listing = {
      kind: 'Listing',
      registry: site.prod.host,
      api: 'distribution',
      time: '2026-11-21T08:00:00Z',
      complete: false,
      filtered: false,
      repositories: 1,
      images: 1,
      list_digest: `sha256:${'0'.repeat(64)}`,
    }
    const cut = await regSync(['-', dr()], { stdin: lines(image(), listing) })
    expect(only<SyncReport>(cut, 83).document).toMatchObject({ readiness: { ready: false, in_sync: 1 } })
    const whole = await regSync(['-', dr()], { stdin: lines(image(), { ...listing, complete: true }) })
    expect(only<SyncReport>(whole).document.readiness.ready).toBe(true)
  })

  test('leaves nothing there for a password', async () => {
    const flags = ['--dest-username', 'me', '--dest-password-stdin']
    for (const argv of [['-', dr()], ['-c', '-'], ['apply']]) {
      const ran = await regSync([...argv, ...flags], { stdin: 'secret-word-1\n' })
      expect(ran.exit).toBe(64)
      expect(ran.stdout + ran.stderr).not.toContain('secret-word-1')
    }
  })
})

describe('a plan that was edited', () => {
  const edited = async (change: (plan: SyncPlan) => void) => {
    const plan = only<SyncPlan>(await regSync(['plan', prod(), dr()])).document
    change(plan)
    return regSync(['apply'], { stdin: JSON.stringify(plan) })
  }

  test.each<[string, string, (plan: SyncPlan) => void]>([
    ['without a source', '#/images/0', ({ images: [one] }) => delete one!.source],
    ['without a digest', '#/images/1', ({ images }) => delete images[1]!.digest],
    ['without its manifests', '#/images/0/manifests', ({ images: [one] }) => delete one!.manifests],
    ['without its blobs', '#/images/0', ({ images: [one] }) => delete one!.blobs],
    ['without sizes', '#/images/0/blobs/0', (plan) => Object.assign(plan, { blobs: {} })],
    [
      'with one place for two',
      '#/images/1/destination',
      ({ images }) => (images[1]!.destination = images[0]!.destination),
    ],
    ['to be moved from nothing', '#/images/0', ({ images: [one] }) => (one!.action = 'move')],
  ])('%s is refused', async (_what, pointer, change) => {
    const ran = await edited(change)
    expect(ran.exit).toBe(65)
    expect(failureErrors(ran)[0]).toMatchObject({ code: 'SCHEMA_INVALID', pointer })
    expect(await atDr()).toEqual([])
  })

  test('to do less does less', async () => {
    const ran = await edited((plan) => plan.images.splice(0, 1))
    expect(only<SyncReport>(ran).document.totals.copied).toBe(2)
  })
})

test('a plan that was done is looked at again: what is gone by then is brought again', async () => {
  const plan = site.scratch.at('plan.json')
  const options = { env: { CARRYALL_STATE_DIR: site.scratch.at('state') } }
  only(await regSync(['plan', prod(), dr(), '--result', plan]))
  only(await regSync(['apply', plan], options))
  const digest = (await everythingIn(site.dr.host))['team/app:1.0']
  await fetch(`${site.dr.url}/v2/team/app/manifests/${digest}`, { method: 'DELETE' })
  expect(await atDr()).not.toContain('team/app:1.0')
  const { document } = only<SyncReport>(await regSync(['apply', plan], options))
  expect(document.totals).toMatchObject({ copied: 1, same: 2 })
  expect(await atDr()).toContain('team/app:1.0')
})
