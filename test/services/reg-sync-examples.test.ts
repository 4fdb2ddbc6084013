import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startQuay, type FakeQuay } from '@carryall/catalog/testing'
import { sampleImage, type Sample } from '@carryall/oci/testing'
import { readDocuments, type SyncConfig, type SyncReport } from '@carryall/schemas'
import { installBundles, type Installed } from '../support/bundles.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { readReadme, type Readme } from '../support/readme.ts'
import { everythingIn } from '../support/registry-content.ts'
import type { Ended } from '../support/run.ts'
import type { Named } from '../support/sample-set.ts'
import { documents, shell } from '../support/shell.ts'
import { storeImages } from '../support/sync-storage.ts'
import { publish, startSyncSite, type SyncSite } from '../support/sync-site.ts'

// What the READMEs show is run as it stands there, with other hosts and paths.
const named = (repository: string, tag: string, sample: Sample = sampleImage(`${repository}:${tag}`)) => ({
  repository,
  tag,
  sample,
})
const images: readonly Required<Named>[] = [
  named('team/app', 'v1.0'),
  named('team/app', 'v1.1'),
  named('team/app', 'latest'),
  named('team/sub/web', 'v2.0'),
]

let installed: Installed
let site: SyncSite
let syncReadme: Readme
let listReadme: Readme
beforeAll(async () => {
  installed = await installBundles()
  return () => installed[Symbol.asyncDispose]()
})
beforeEach(async () => {
  site = await startSyncSite(images)
  const { prod, dr, scratch } = site
  const replace = (text: string): string =>
    text
      .replaceAll(/(?:prod|quay|registry|harbor)\.example/g, prod.host)
      .replaceAll('dr.example', dr.host)
      .replaceAll('NAMESPACE', 'team')
      .replaceAll('/etc/carryall', scratch.at('etc'))
      .replaceAll(/\/var\/(?:log|lib\/carryall)|\/media\/usb/g, scratch.at('var'))
  for (const name of ['etc', 'var']) await mkdir(scratch.at(name))
  syncReadme = await readReadme('reg-sync', replace)
  listReadme = await readReadme('reg-ls', replace)
  return () => site[Symbol.asyncDispose]()
})

const sh = (script: string, env?: Record<string, string>): Promise<Ended> =>
  shell(installed, site.scratch.path, script, env)
const good = async (script: string, env?: Record<string, string>): Promise<Ended> => {
  const ended = await sh(script, env)
  expect(ended.exit, ended.stderr).toBe(0)
  return ended
}
const expectEqual = async (): Promise<void> =>
  expect(await everythingIn(site.dr.host)).toEqual(await everythingIn(site.prod.host))

describe('reg-sync', () => {
  test('what somebody chose, by a pipe', async () => {
    const ended = await good(syncReadme.commands('startswith("v")'))
    expect(documents(ended)).toMatchObject([{ kind: 'SyncReport', totals: { copied: 3 } }])
    expect(Object.keys(await everythingIn(site.dr.host))).not.toContain('team/app:latest')
  })

  test('the readiness report as a table, before and after', async () => {
    const check = syncReadme.commands('--check docker://prod.example/team')
    const before = await sh(check)
    expect([before.exit, before.stdout.toString().split('\n').filter(Boolean).at(-1)]).toEqual([
      83,
      'Not ready: 0 of 4 in sync, 4 missing, 0 diverged, 0 unreadable; 0 extra',
    ])
    await good(`reg-sync docker://${site.prod.host}/team docker://${site.dr.host}/team`)
    const after = await good(check)
    expect(after.stdout.toString()).toBe(
      'Ready: 4 of 4 in sync, 0 missing, 0 diverged, 0 unreadable; 0 extra\nLag: 0 s\n',
    )
  })

  test('from cron: silent, with a report and a log; a second night changes nothing', async () => {
    const [, line] = /^30 1 \* \* \* (.*)$/m.exec(syncReadme.commands('30 1 * * *'))!
    const pair = { source: `docker://${site.prod.host}`, destination: `docker://${site.dr.host}` }
    await writeFile(
      site.scratch.at('etc/sync.yaml'),
      JSON.stringify({ apiVersion: 'carryall/v1', kind: 'SyncConfig', sync: [pair] }),
    )
    for (const changed of [true, false]) {
      // As cron runs it: by sh, with next to no environment, and nobody who types.
      const cron = `env -i HOME="$HOME" PATH="$PATH" CARRYALL_STATE_DIR="$CARRYALL_STATE_DIR" sh -c '${line}' </dev/null`
      const ended = await good(cron)
      expect([ended.stdout.toString(), ended.stderr]).toEqual(['', ''])
      const report = JSON.parse(await readFile(site.scratch.at('var/sync.json'), 'utf8')) as {
        readonly readiness: SyncReport['readiness']
        readonly result?: { readonly changed: boolean }
      }
      expect(report.readiness).toMatchObject({ ready: true, in_sync: 4 })
      expect(report.result?.changed ?? changed).toBe(changed)
    }
    const log = await readFile(site.scratch.at('var/reg-sync.log'), 'utf8')
    expect(log.match(/\[SYNC_SUCCESS\]/g)).toHaveLength(4)
    expect(log.match(/\[SYNC_SKIPPED\]/g)).toHaveLength(4)
    await expectEqual()
  })

  test('under change control, then by four workers in the same directory', async () => {
    const ended = await good(syncReadme.commands('>plan.json'))
    expect(ended.stdout.toString()).toContain('"unique_bytes"')
    await expectEqual()
    await good(`reg-sync plan docker://${site.prod.host}/team docker://${site.dr.host}/four >plan.json`)
    const merged = await good(
      syncReadme.commands('parallel --joblog').replace('parallel', 'parallel --will-cite'),
    )
    const last = merged.stdout.toString().trim().split('\n').at(-1)!
    expect(JSON.parse(last)).toMatchObject({ kind: 'SyncReport', readiness: { ready: true, images: 4 } })
  })

  test('by a courier', async () => {
    await good(syncReadme.commands('oci-archive:'))
    await expectEqual()
  })
})

describe('coming from syncBot', () => {
  let quay: FakeQuay
  beforeEach(async () => {
    quay = await startQuay()
    await storeImages(quay.store.storage, images)
    return () => quay[Symbol.asyncDispose]()
  })
  const secrets = async (): Promise<void> => {
    const files = {
      'prod-password': quay.robot.password,
      'dr-password': 'nobody-asks-for-it',
      'prod-quay-token': quay.apiToken,
    }
    for (const [name, secret] of Object.entries(files)) {
      await writeFile(site.scratch.at('etc', name), `${secret}\n`)
      await chmod(site.scratch.at('etc', name), 0o600)
    }
  }
  const profile = (): string =>
    syncReadme
      .fenced('yaml', 'retry_times: 3')
      .replaceAll(site.prod.host, quay.host)
      .replace('sync-reader', quay.robot.username)

  test('one command does it', async () => {
    const [command] = syncReadme.commands('-c sync.yaml --log-file syncBot.log').split('\n')
    await good(command!)
    await expectEqual()
    const log = await readFile(site.scratch.at('syncBot.log'), 'utf8')
    const [host, target] = [site.prod.host, site.dr.host]
    // The line of the README, but for its time and its names.
    const shown = syncReadme.commands('[SYNC_SUCCESS]').trim()
    const line = shown.replace(/^.{19}/, '').replaceAll('app:v1', 'app:v1.0')
    expect(log).toContain(line.replaceAll('prod.example', host).replaceAll('dr.example', target))
    expect(log).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[INFO\] \[STARTUP\] reg-sync Startup: /)
    expect(log).toContain('[DISCOVERY_COMPLETE] Repository Discovery: Found 2 repositories')
    expect(log).toMatch(/\[PROGRESS_UPDATE\] Progress: Repository 2\/2 complete \(100\.0%\): 4 synced/)
    expect(log).toContain('[FINAL_REPORT] Final Report: Success rate: 100.0%')
  })

  test('the compatibility profile: Quay by its API, credentials by reference, the limits that there were', async () => {
    await secrets()
    await writeFile(site.scratch.at('sync.yaml'), profile())
    const [, command] = syncReadme.commands('-c sync.yaml --log-file syncBot.log').split('\n')
    const [report] = documents(await good(command!))
    expect(report).toMatchObject({ totals: { copied: 4 }, readiness: { ready: true } })
    expect(Object.keys(await everythingIn(site.dr.host))).toHaveLength(4)
    const plan = documents(await good('reg-sync plan -c sync.yaml'))
    expect(plan).toMatchObject([{ pairs: [{ source_api: 'quay' }] }])
    const log = await readFile(site.scratch.at('syncBot.log'), 'utf8')
    expect(log).toContain(`[LOGIN_OK] Registry Login: Logged in to ${quay.host}`)
    for (const secret of [quay.robot.password, quay.apiToken]) expect(log).not.toContain(secret)
  })

  test('the numbers of the profile are those that count', async () => {
    const [{ defaults }] = readDocuments(Buffer.from(profile()), 'profile') as [SyncConfig]
    await using proxy = await startFaultProxy(site.prod.url)
    const pair = { source: `docker://${proxy.host}/team`, destination: `docker://${site.dr.host}/team` }
    const attempts = async (more: SyncConfig['defaults']): Promise<number> => {
      const before = proxy.requests.length
      // In a tenth of the time.
      const config = {
        apiVersion: 'carryall/v1',
        kind: 'SyncConfig',
        defaults: { ...defaults, retry_delay_seconds: defaults!.retry_delay_seconds! / 100, ...more },
        sync: [pair],
      }
      await writeFile(site.scratch.at('faults.json'), JSON.stringify(config))
      await sh('reg-sync -q -c faults.json')
      return proxy.requests.slice(before).filter(({ path }) => path.includes('/tags/list')).length
    }
    proxy.faults = ({ path }) => (path.includes('/tags/list') ? { fault: 'status', status: 503 } : undefined)
    // Once, and three times again, for each of two repositories.
    expect(await attempts({})).toBe(2 * (1 + defaults!.retry_times!))
    expect(await attempts({ retry_times: 0 })).toBe(2)
    proxy.faults = ({ path }) => (path.includes('/blobs/') ? { fault: 'stall', after: 0 } : undefined)
    const started = performance.now()
    await attempts({ image_timeout_seconds: 1, retry_times: 0 })
    expect(performance.now() - started).toBeLessThan(30_000)
    expect(await everythingIn(site.dr.host)).toEqual({})
  }, 120_000)

  test('tags that a daemon has spoiled are put right, and what they named is kept', async () => {
    await publish(site.dr.host, [named('team/app', 'v1.0', sampleImage('spoiled'))])
    const look = syncReadme.commands('--check docker://prod.example/NAMESPACE')
    expect((await sh(look)).exit).toBe(84)
    const spoiled = (await everythingIn(site.dr.host))['team/app:v1.0']!
    const put = syncReadme
      .commands("--policy '*=move'")
      .replace('…', `docker://${site.prod.host}/team docker://${site.dr.host}/team`)
    await good(put)
    const after = await everythingIn(site.dr.host)
    expect(after[`team/app:before-${spoiled.slice(7, 19)}`]).toBe(spoiled)
    expect(after['team/app:v1.0']).toBe(images[0]!.sample.manifest.digest)
    expect((await sh(look)).exit).toBe(0)
  })

  test('an old log becomes a file of the name that it had', async () => {
    const log = site.scratch.at('syncBot.log')
    await writeFile(log, '2020-01-01 00:00:00 [INFO] [STARTUP] reg-sync Startup: long ago\n')
    await good(syncReadme.commands('-c sync.yaml --log-file syncBot.log').split('\n')[0]!)
    const names = await readdir(site.scratch.path)
    expect(names.filter((name) => /^syncBot_\d{8}_\d{6}\.log\.gz$/.test(name))).toHaveLength(1)
    expect(await readFile(log, 'utf8')).not.toContain('long ago')
  })
})

describe('reg-ls', () => {
  test('which tags of production have no equal at the DR site', async () => {
    await publish(site.dr.host, images.slice(1))
    const ended = await good(listReadme.commands('comm -23'))
    expect(ended.stdout.toString()).toBe(`team/app:v1.0 ${images[0]!.sample.manifest.digest}\n`)
  })

  test('what was pushed this week, with the list as evidence', async () => {
    await using quay = await startQuay()
    await storeImages(quay.store.storage, [...images, named('team/app', 'v1-nightly-7')])
    await writeFile(site.scratch.at('quay-token'), quay.apiToken, { mode: 0o600 })
    quay.setPublic('team/app', true)
    quay.setPublic('team/sub/web', true)
    const script = listReadme.commands('--exclude-tag').replaceAll(site.prod.host, quay.host)
    const [report] = documents(await good(script))
    expect(report).toMatchObject({ totals: { copied: 4 } })
    const list = (await readFile(site.scratch.at('list.ndjson'), 'utf8')).trim().split('\n')
    expect(JSON.parse(list.at(-1)!)).toMatchObject({ kind: 'Listing', complete: true, images: 4 })
  })

  test('how much is in each repository', async () => {
    const ended = await good(listReadme.commands('group_by'))
    expect(ended.stdout.toString()).toBe('team/app\t3\t0\nteam/sub/web\t1\t0\n')
  })

  test('whether the list is complete', async () => {
    expect((await good(listReadme.commands('.complete'))).stdout.toString()).toBe('true\n')
  })
})
