import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startHarbor, startQuay } from '@carryall/catalog/testing'
import type { SyncReport } from '@carryall/schemas'
import { sampleImage, startDockerRegistry } from '@carryall/oci/testing'
import { comeAgain, diskFull, type Fault } from '../support/faults.ts'
import { startHostileFront } from '../support/hostile-front.ts'
import { only } from '../support/ran.ts'
import { nameOf } from '../support/sample-set.ts'
import { startSyncEnds, type SyncEnds, writeAuth } from '../support/sync-ends.ts'
import { syncSet } from '../support/sync-set.ts'
import { lacking, storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

const images = syncSet(10, 3)
const NOBODY = { host: '', port: '', name: '', six: '' }

let ends: SyncEnds
beforeEach(async () => {
  ends = await startSyncEnds()
  await storeImages(ends.source.registry.storage, images)
})
afterEach(() => ends[Symbol.asyncDispose]())

const FEW = ['--parallel-images', '2', '--parallel-layers', '2', '--retry-delay', '1ms']
const sync = (...flags: readonly string[]) => regSync([...ends.operands, ...FEW, ...flags])

/** How many images came out in which way, with the codes of those that did not. */
function told({ images: all }: SyncReport) {
  const left = all.filter(({ outcome }) => outcome !== 'copied')
  return {
    copied: all.length - left.length,
    untried: left.filter(({ outcome }) => outcome === 'not_tried').length,
    codes: [...new Set(left.map(({ error }) => error?.code))],
  }
}

describe('a destination that takes nothing more is given up', () => {
  /** From the fifth manifest on every request that `concerned` picks meets the fault; counts those from then on. */
  function breaks(fault: Fault, concerned: (method: string) => boolean): () => number {
    const { proxy } = ends.destination
    let manifests = 0
    let since = 0
    proxy.faults = ({ method, phases }) => {
      if (phases.includes('manifest-put')) manifests += 1
      if (manifests < 5) return undefined
      since += 1
      return concerned(method) ? fault : undefined
    }
    return () => since
  }
  const writes = (method: string): boolean => method !== 'GET' && method !== 'HEAD'

  test('when our credentials have expired', async () => {
    const account = { username: 'me', password: 'expires' }
    await using guarded = await startHostileFront(ends.destination.proxy.host.replace(/^/, 'http://'), {
      lure: () => undefined,
      sinks: NOBODY,
      guards: 'basic',
    })
    let manifests = 0
    let since = 0
    await using front = await startHostileFront(`http://${guarded.host}`, {
      sinks: NOBODY,
      lure: ({ method, url }) => {
        if (method === 'PUT' && url.includes('/manifests/')) manifests += 1
        if (manifests < 5) return undefined
        since += 1
        return { status: 401, headers: { 'www-authenticate': 'Basic realm="own"' } }
      },
    })
    const authfile = await writeAuth(ends.scratch.at('auth.json'), { [front.host]: account })
    const ran = await regSync([ends.operands[0], `docker://${front.host}`, ...FEW, '--authfile', authfile])
    const { copied, untried, codes } = told(only<SyncReport>(ran, 77).document)
    expect([codes, copied]).toEqual([['LOGIN_FAILED'], 4])
    expect(untried).toBeGreaterThanOrEqual(20)
    expect(since).toBeLessThan(30)
  })

  test('when its disk is full', async () => {
    const since = breaks(diskFull(500), writes)
    const { copied, untried, codes } = told(only<SyncReport>(await sync(), 69).document)
    expect([codes, copied]).toEqual([['REG_DISK_FULL'], 4])
    expect(untried).toBeGreaterThanOrEqual(20)
    expect(since()).toBeLessThan(30)
    ends.heal()
    expect(told(only<SyncReport>(await sync()).document)).toMatchObject({ codes: [undefined] })
    expect(await tagsIn(ends.destination.registry.storage)).toEqual(
      Object.fromEntries(images.map((image) => [nameOf(image), image.sample.manifest.digest])),
    )
  })

  test('when nobody answers there any more', async () => {
    const since = breaks({ fault: 'drop', after: 0 }, () => true)
    const ran = await sync('--retry-times', '1')
    const { copied, untried, codes } = told(only<SyncReport>(ran, 69).document)
    expect(codes).toContain('REG_GIVEN_UP')
    expect(['NET_UNAVAILABLE', 'REG_GIVEN_UP']).toEqual(expect.arrayContaining(codes))
    expect(copied).toBeLessThanOrEqual(5)
    expect(untried).toBeGreaterThanOrEqual(10)
    expect(since()).toBeLessThan(60)
  })

  test('when it is being maintained', async () => {
    await using readOnly = await startDockerRegistry({ readOnly: true })
    const ran = await regSync([ends.operands[0], `docker://${readOnly.host}`, ...FEW])
    const { copied, untried, codes } = told(only<SyncReport>(ran, 77).document)
    expect([codes, copied]).toEqual([['REG_READ_ONLY'], 0])
    expect(untried).toBeGreaterThanOrEqual(20)
    expect(readOnly.requests().filter(({ method }) => writes(method)).length).toBeLessThan(15)
  })

  test.each(['Quay', 'Harbor'])('when a quota of %s is used up', async (product) => {
    const limit = 20_000
    const quay = product === 'Quay' ? await startQuay() : undefined
    const harbor = quay ? undefined : await startHarbor({ projects: { team: { quota: limit } } })
    quay?.setQuota('team', limit)
    await using server = quay ?? harbor!
    const authfile = await writeAuth(ends.scratch.at('auth.json'), {
      [server.host]: quay?.robot ?? harbor!.robot,
    })
    const ran = await regSync([ends.operands[0], `docker://${server.host}`, ...FEW, '--authfile', authfile])
    const { copied, untried, codes } = told(only<SyncReport>(ran, 77).document)
    expect(codes).toEqual(['REG_QUOTA_EXCEEDED'])
    expect(untried).toBeGreaterThan(0)
    expect(copied).toBeGreaterThan(3)
    expect(copied).toBeLessThan(25)
    const refused = server.requests.filter(({ method, status }) => writes(method) && status >= 400)
    expect(refused.length).toBeLessThan(15)
  })
})

test('tokens that expire half-way are renewed', async () => {
  await using quay = await startQuay()
  await storeImages(quay.store.storage, images)
  let requests = 0
  await using front = await startHostileFront(quay.url, {
    sinks: NOBODY,
    lure: () => {
      requests += 1
      if (requests === 40 || requests === 90) quay.expireTokens()
      return undefined
    },
  })
  const authfile = await writeAuth(ends.scratch.at('auth.json'), { [front.host]: quay.robot })
  const ran = await regSync([`docker://${front.host}`, ends.operands[1], '--authfile', authfile])
  expect(only<SyncReport>(ran).document.totals).toMatchObject({ copied: 30, failed: 0 })
  expect(quay.requests.filter(({ status }) => status === 401).length).toBeGreaterThan(3)
})

describe('limits have an effect', () => {
  const elapsed = async (...flags: readonly string[]): Promise<number> => {
    const began = performance.now()
    const { document } = only<SyncReport>(await regSync([...ends.operands, ...flags]))
    expect(document.totals.copied).toBe(document.images.length)
    for (const image of images.slice(0, 3))
      expect(await lacking(ends.destination.registry.storage, image)).toEqual([])
    return performance.now() - began
  }

  test('a Retry-After is kept to, by all requests to that registry', async () => {
    const { proxy } = ends.source
    const times: number[] = []
    proxy.faults = ({ phases }) => {
      times.push(performance.now())
      return times.length === 40
        ? phases.includes('ping')
          ? undefined
          : comeAgain(429, 'seconds')
        : undefined
    }
    expect(await elapsed()).toBeGreaterThan(1000)
    const pauses = times.slice(1).map((time, index) => time - times[index]!)
    expect(Math.max(...pauses)).toBeGreaterThan(900)
  })

  test('requests in a second', async () => {
    const flags = ['--repository', 'team/app-00[0-2]', '--requests-per-second', '40'] as const
    const ms = await elapsed(...flags)
    for (const { proxy } of [ends.source, ends.destination])
      // 50 ms may go at once.
      expect(proxy.requests.length).toBeLessThanOrEqual((ms / 1000) * 40 + 4)
  })

  test('bytes in a second', async () => {
    const { storage } = ends.source.registry
    await storeImages(storage, [
      { repository: 'large/app', tag: '1', sample: sampleImage('large', { layers: [600_000] }) },
    ])
    const began = performance.now()
    only(await regSync([`${ends.operands[0]}/large`, `${ends.operands[1]}/large`, '--bandwidth', '400kB']))
    expect(performance.now() - began).toBeGreaterThan(1000)
  })
})

describe('tags that the registry keeps from moving are conflicts', () => {
  test.each([
    ['Quay', 'team/app-000'],
    ['Harbor', 'team/app-000'],
  ])('%s', async (product, repository) => {
    const quay = product === 'Quay' ? await startQuay() : undefined
    const harbor = quay
      ? undefined
      : await startHarbor({ projects: { team: { immutable: [{ repository: 'app-000', tag: '1.*' }] } } })
    quay?.setImmutable(repository, '1.*')
    await using server = quay ?? harbor!
    const other = { repository, tag: '1.0', sample: sampleImage('other') }
    await storeImages(server.store.storage, [other])
    const authfile = await writeAuth(ends.scratch.at('auth.json'), {
      [server.host]: quay?.robot ?? harbor!.robot,
    })
    const ran = await regSync([
      ...[ends.operands[0], `docker://${server.host}`, '--authfile', authfile],
      ...['--policy', '*=move'],
    ])
    const { document } = only<SyncReport>(ran, 84)
    expect(document.images.filter(({ outcome }) => outcome !== 'copied')).toMatchObject([
      { destination: { repository, tag: '1.0' }, outcome: 'conflict', error: { code: 'TAG_CONFLICT' } },
    ])
    expect((await tagsIn(server.store.storage))[`${repository}:1.0`]).toBe(other.sample.manifest.digest)
  })
})
