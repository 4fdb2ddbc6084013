import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sampleImage, startDockerRegistry } from '@carryall/oci/testing'
import { only } from '../support/ran.ts'
import type { Named } from '../support/sample-set.ts'
import { writeAuth } from '../support/sync-ends.ts'
import { publish, startSyncSite, type SyncSite } from '../support/sync-site.ts'
import { regSync } from '../support/tools.ts'

// The event log tells also what went wrong before the first image, and what a check found.
const images: readonly Named[] = ['1.0', '1.1'].map((tag) => ({
  repository: 'team/app',
  tag,
  sample: sampleImage(tag),
}))
let site: SyncSite
beforeEach(async () => {
  site = await startSyncSite(images)
})
afterEach(() => site[Symbol.asyncDispose]())

const account = { username: 'me', password: 'secret-word-1' }
const logged = async (
  from: string,
  to: string,
  flags: readonly string[] = [],
): Promise<{ readonly exit: number; readonly codes: readonly string[] }> => {
  const file = site.scratch.at('sync.log')
  const ends = [`docker://${from}`, `docker://${to}`]
  const { exit } = await regSync([...ends, '--log-file', file, '--retry-times', '0', ...flags])
  const text = await readFile(file, 'utf8')
  expect(text).not.toContain(account.password)
  return { exit, codes: [...text.matchAll(/^.{19} \[[A-Z]+\] \[(\w+)\]/gm)].map(([, code]) => code!) }
}

test('of a check: what each image is', async () => {
  await publish(site.dr.host, [{ ...images[0]!, sample: sampleImage('other') }])
  const { exit, codes } = await logged(site.prod.host, site.dr.host, ['--check'])
  expect(exit).toBe(84)
  expect(codes.filter((code) => code !== 'FINAL_REPORT')).toEqual([
    'STARTUP',
    'DISCOVERY_COMPLETE',
    'IMAGE_DIVERGED',
    'IMAGE_MISSING',
  ])
})

describe('of a run that comes to nothing: why', () => {
  test('nobody answers', async () => {
    const { exit, codes } = await logged('127.0.0.1:1', site.dr.host)
    expect([exit, ...codes]).toEqual([69, 'STARTUP', 'API_REQUEST_FAILED'])
  })

  test('there is nothing', async () => {
    expect((await logged(`${site.prod.host}/none`, site.dr.host)).codes).toEqual([
      'STARTUP',
      'API_REQUEST_FAILED',
    ])
  })

  test('more would be deleted than may be', async () => {
    only(await regSync([`docker://${site.prod.host}`, `docker://${site.dr.host}`]))
    await publish(site.dr.host, [{ repository: 'team/app', tag: '0.9', sample: sampleImage('0.9') }])
    const { exit, codes } = await logged(site.prod.host, site.dr.host, [
      '--delete-extra',
      '--max-delete',
      '0',
    ])
    expect([exit, ...codes]).toEqual([84, 'STARTUP', 'DISCOVERY_COMPLETE', 'SYNC_FAILED'])
  })
})

test('of logins: that they were taken, and that they were not', async () => {
  await using guarded = await startDockerRegistry({ auth: account })
  const auth = await writeAuth(site.scratch.at('auth.json'), { [guarded.host]: account })
  const { codes } = await logged(site.prod.host, guarded.host, ['--authfile', auth])
  expect(codes.slice(0, 3)).toEqual(['STARTUP', 'DISCOVERY_COMPLETE', 'LOGIN_OK'])
  await writeAuth(auth, { [guarded.host]: { ...account, password: 'wrong-word-2' } })
  const refused = await logged(guarded.host, site.dr.host, ['--authfile', auth])
  expect([refused.exit, refused.codes.at(-1)]).toEqual([77, 'LOGIN_FAILED'])
})
