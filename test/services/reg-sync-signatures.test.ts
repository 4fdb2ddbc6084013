import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startHarbor } from '@carryall/catalog/testing'
import type { SyncReport } from '@carryall/schemas'
import { pushSample, sampleImage } from '@carryall/oci/testing'
import { only } from '../support/ran.ts'
import { everythingIn } from '../support/registry-content.ts'
import type { Named } from '../support/sample-set.ts'
import { openStores } from '../support/stores.ts'
import { writeAuth } from '../support/sync-ends.ts'
import { publish, startSyncSite, type SyncSite } from '../support/sync-site.ts'
import { regSync } from '../support/tools.ts'

// Three versions, each signed in cosign's way, one of them with an SBOM of its signature.
const tagFor = ({ sample }: Named, suffix: string): string =>
  `${sample.manifest.digest.replace(':', '-')}.${suffix}`
const versions: readonly Named[] = ['1.8.0', '1.9.0', '1.10.0'].map((tag) => ({
  repository: 'team/app',
  tag,
  sample: sampleImage(`app ${tag}`),
}))
const [old, , newest] = versions as readonly [Named, Named, Named]
const signatures: readonly Named[] = versions.map((one) => ({
  repository: 'team/app',
  tag: tagFor(one, 'sig'),
  sample: sampleImage(`signature of ${one.tag}`, { layers: [300] }),
}))
const sbom: Named = {
  repository: 'team/app',
  tag: tagFor(signatures[2]!, 'sbom'),
  sample: sampleImage('sbom', { layers: [300] }),
}
const all = [...versions, ...signatures, sbom]

let site: SyncSite
beforeEach(async () => {
  site = await startSyncSite(all)
})
afterEach(() => site[Symbol.asyncDispose]())

const sync = async (...flags: readonly string[]): Promise<SyncReport> =>
  only<SyncReport>(await regSync([`docker://${site.prod.host}`, `docker://${site.dr.host}`, ...flags]))
    .document
const tagsAt = async (host: string): Promise<readonly string[]> =>
  Object.keys(await everythingIn(host)).map((name) => name.slice('team/app:'.length))
const namesOf = (...images: readonly Named[]) => images.map(({ tag }) => tag!).toSorted()

describe('signatures go along with what is chosen', () => {
  test.each<[string, readonly string[], readonly Named[]]>([
    ['all', [], all],
    ['the newest, by version', ['--newest', '1'], [newest, signatures[2]!, sbom]],
    ['a tag', ['--tag', '1.8.0'], [old, signatures[0]!]],
    ['a range', ['--semver', '<1.9'], [old, signatures[0]!]],
    ['without them', ['--no-attachments'], versions],
    ['the newest without them', ['--newest', '1', '--no-attachments'], [newest]],
    ['signatures alone', ['--tag', '*.sig'], [...signatures, sbom]],
  ])('%s', async (_what, flags, wanted) => {
    await sync(...flags)
    expect((await tagsAt(site.dr.host)).toSorted()).toEqual(namesOf(...wanted))
    expect((await sync(...flags)).totals).toMatchObject({ copied: 0, same: wanted.length })
  })

  test('an image by its name, under another one', async () => {
    const operands = [`docker://${site.prod.host}/team/app:1.8.0`, `docker://${site.dr.host}/team/app:stable`]
    only(await regSync(operands))
    expect((await tagsAt(site.dr.host)).toSorted()).toEqual(
      namesOf({ ...old, tag: 'stable' }, signatures[0]!),
    )
    expect(only(await regSync(operands)).result.changed).toBe(false)
  })

  test('a list', async () => {
    const stdin = JSON.stringify({
      apiVersion: 'carryall/v1',
      kind: 'Image',
      registry: site.prod.host,
      repository: 'team/app',
      tag: '1.8.0',
    })
    only(await regSync(['-', `docker://${site.dr.host}`], { stdin }))
    expect((await tagsAt(site.dr.host)).toSorted()).toEqual(namesOf(old, signatures[0]!))
  })
})

test('signatures that are left out are no extra at the destination', async () => {
  await publish(site.dr.host, all)
  const { readiness, totals } = await sync('--no-attachments', '--delete-extra')
  expect([readiness.extra, totals.deleted]).toEqual([0, 0])
  expect(await tagsAt(site.dr.host)).toHaveLength(all.length)
})

test('Harbor, whose API hides them, gives and takes them', async () => {
  await using harbor = await startHarbor({ projects: { team: {} } })
  const env = {
    REGISTRY_AUTH_FILE: await writeAuth(site.scratch.at('auth.json'), { [harbor.host]: harbor.admin }),
  }
  const run = (from: string, to: string, ...flags: readonly string[]) =>
    regSync([`docker://${from}/team`, `docker://${to}/team`, ...flags], { env })
  expect(only<SyncReport>(await run(site.prod.host, harbor.host)).document.totals.copied).toBe(all.length)
  const check = await run(site.prod.host, harbor.host, '--check')
  expect(only<SyncReport>(check).document.readiness).toMatchObject({ ready: true, images: all.length })
  expect(only(await run(site.prod.host, harbor.host)).result.changed).toBe(false)

  expect(only<SyncReport>(await run(harbor.host, site.dr.host)).document.totals.copied).toBe(all.length)
  expect((await tagsAt(site.dr.host)).toSorted()).toEqual(namesOf(...all))
  // What its API does not tell is not gone from it.
  const again = await run(harbor.host, site.dr.host, '--delete-extra')
  expect(only<SyncReport>(again).document.totals).toMatchObject({ same: all.length, deleted: 0 })
})

test('a signature that was added later comes, though its image is there', async () => {
  await sync('--tag', '1.8.0')
  const stores = await openStores()
  await pushSample(stores.registry(site.prod.host), 'team/app', sampleImage('late'), tagFor(old, 'att'))
  await stores.close()
  expect((await sync('--tag', '1.8.0')).totals).toMatchObject({ copied: 1, same: 2 })
  expect(await tagsAt(site.dr.host)).toContain(tagFor(old, 'att'))
})
