import { appendFileSync } from 'node:fs'
import { afterAll, beforeAll, test } from 'vitest'
import type { SyncReport } from '@carryall/schemas'
import { sampleImage, sampleIndex, sampleLayer } from '@carryall/oci/testing'
import { faultRules, type FaultRule } from '../support/fault-rules.ts'
import { comeAgain, diskFull, OVER_QUOTA, outOfRange, READ_ONLY, refusing, type Fault } from '../support/faults.ts'
import { startSyncEnds, type SyncEnds } from '../support/sync-ends.ts'
import { lacking, storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

const shared = sampleLayer('shared', 20_000)
const images = [
  { repository: 'set/a', tag: '1', sample: sampleIndex([sampleImage('a', { shared: [shared] }), sampleImage('a-arm', { architecture: 'arm64' })]) },
  { repository: 'set/b', tag: '1', sample: sampleImage('b', { shared: [shared] }) },
  { repository: 'set/c', tag: '1', sample: sampleImage('c') },
]
let ends: SyncEnds
beforeAll(async () => {
  ends = await startSyncEnds()
  await storeImages(ends.source.registry.storage, images)
})
afterAll(() => ends[Symbol.asyncDispose]())

const once = { perRequest: 1, times: 3 }
const elsewhere = 'http://127.0.0.2:9'
const kinds: Record<string, [Fault, 'once' | 'stays']> = {
  delay: [{ fault: 'delay', ms: 30 }, 'once'],
  'reset at once': [{ fault: 'reset', after: 0 }, 'once'],
  'reset in the middle': [{ fault: 'reset', after: 10 }, 'once'],
  truncated: [{ fault: 'truncate', after: 10 }, 'once'],
  'truncated honest': [{ fault: 'truncate', after: 10, honest: true }, 'once'],
  chunk: [{ fault: 'chunk', after: 10 }, 'once'],
  length: [{ fault: 'length', length: 100_000 }, 'once'],
  '408': [comeAgain(408, 'negative'), 'once'],
  '429 past': [{ fault: 'status', status: 429, headers: { 'retry-after': '0' } }, 'once'],
  '429 garbage': [comeAgain(429, 'garbage'), 'once'],
  '500': [refusing(500, 'UNKNOWN'), 'once'],
  '502': [{ fault: 'status', status: 502, text: '<html>bad gateway' }, 'once'],
  '503 negative': [comeAgain(503, 'negative'), 'once'],
  '504': [refusing(504, 'UNKNOWN'), 'once'],
  drop: [{ fault: 'drop', after: 0 }, 'once'],
  'lost reply': [{ fault: 'lost-reply' }, 'once'],
  stall: [{ fault: 'stall', after: 5 }, 'once'],
  bytes: [{ fault: 'bytes' }, 'once'],
  extra: [{ fault: 'extra', count: 10 }, 'once'],
  digest: [{ fault: 'digest', digest: `sha256:${'0'.repeat(64)}` }, 'once'],
  'lost upload': [refusing(404, 'BLOB_UPLOAD_UNKNOWN'), 'once'],
  'expired once': [{ fault: 'expired' }, 'once'],
  late: [{ fault: 'late', ms: 30 }, 'once'],
  'reset stays': [{ fault: 'reset', after: 10 }, 'stays'],
  'truncated stays': [{ fault: 'truncate', after: 10 }, 'stays'],
  'truncated honest stays': [{ fault: 'truncate', after: 10, honest: true }, 'stays'],
  'bytes stay': [{ fault: 'bytes' }, 'stays'],
  'extra stays': [{ fault: 'extra', count: 10 }, 'stays'],
  'digest stays': [{ fault: 'digest', digest: `sha256:${'0'.repeat(64)}` }, 'stays'],
  expired: [{ fault: 'expired' }, 'stays'],
  realm: [{ fault: 'realm', to: `${elsewhere}/token` }, 'stays'],
  redirect: [{ fault: 'redirect', to: `${elsewhere}/x` }, 'stays'],
  foreign: [{ fault: 'foreign', to: elsewhere }, 'stays'],
  '404': [refusing(404, 'NAME_UNKNOWN'), 'stays'],
  '403': [refusing(403, 'DENIED'), 'stays'],
  '400': [refusing(400, 'UNSUPPORTED'), 'stays'],
  '500 stays': [refusing(500, 'UNKNOWN'), 'stays'],
  '503 stays': [refusing(503, 'UNAVAILABLE'), 'stays'],
  '429 stays': [refusing(429, 'TOOMANYREQUESTS'), 'stays'],
  'read only': [READ_ONLY, 'stays'],
  quota: [OVER_QUOTA, 'stays'],
  'disk full': [diskFull(500), 'stays'],
  '416': [outOfRange(5), 'stays'],
  html: [{ fault: 'status', status: 200, text: '<html>login' }, 'stays'],
}
const phases: Record<string, ['source' | 'destination', FaultRule['phase'] & {}]> = {
  listing: ['source', 'list'],
  reading: ['source', ['manifest-get', 'blob-get']],
  uploading: ['destination', ['upload-begin', 'upload-patch', 'upload-put']],
  manifests: ['destination', ['manifest-put', 'read-back']],
}
let n = 0
test('matrix', { timeout: 900_000 }, async () => {
  for (const [kind, [fault, how]] of Object.entries(kinds))
    for (const [phase, [side, what]] of Object.entries(phases)) {
      n++
      ends.heal()
      ends[side].proxy.faults = faultRules(1, [
        { phase: what, fault, ...(how === 'once' ? once : { path: /\/a\// }) },
      ])
      const before = ends[side].proxy.requests.length
      const t = performance.now()
      const ran = await regSync([`${ends.operands[0]}/set`, `${ends.operands[1]}/cell-${n}`, '--retry-delay', '1ms', '--retry-times', '3', '--api-timeout', '1s'])
      const doc = ran.documents[0] as unknown as SyncReport
      const met = ends[side].proxy.requests.slice(before).filter((r) => r.fault).length
      const tags = await tagsIn(ends.destination.registry.storage, `cell-${n}`)
      const bad: string[] = []
      for (const image of images) {
        const name = `cell-${n}/${image.repository.slice(4)}`
        const d = tags[`${name}:1`]
        if (d !== undefined && d !== image.sample.manifest.digest) bad.push(`${name} wrong`)
        if (d !== undefined && (await lacking(ends.destination.registry.storage, { ...image, repository: name })).length) bad.push(`${name} lacks`)
      }
      appendFileSync('/tmp/h/matrix2.txt', `${kind} | ${phase} | met ${met} | exit ${ran.exit} | ${doc?.kind} ${doc?.images?.map((i) => `${i.destination.repository.split('/').at(-1)}:${i.destination.tag ?? '@'} ${i.outcome === 'copied' ? 'ok' : `${i.state} ${i.outcome} ${i.error?.code}`}`).join('; ') ?? JSON.stringify((doc as any)?.errors?.map((e: any) => e.code))} | tags ${Object.keys(tags).length} ${bad} | ${Math.round(performance.now() - t)}ms\n`)
    }
})
