import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { runInProcess } from '@carryall/cli/testing'
import type { SyncedImage, SyncReport } from '@carryall/schemas'
import { command } from './command.ts'
import { makeReport } from './report.ts'
import { factsOf, outcomeOf, PLAN_DIGEST, planned, planOf } from './testing/sync-samples.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'carryall-merge-'))
  return () => rm(cwd, { recursive: true })
})

const images = Array.from({ length: 10 }, (_, at) => planned(`team/${at}:v1`))

function part(index: number, outcome: SyncedImage['outcome'] & string): SyncReport {
  return makeReport({
    plan: planOf(images),
    planDigest: PLAN_DIGEST,
    outcomes: new Map(
      images.map((image) => [
        image,
        outcomeOf(image, {
          outcome,
          ...(outcome === 'failed' ? { error: { code: 'DIGEST_MISMATCH', message: 'Other bytes' } } : {}),
        }),
      ]),
    ),
    facts: factsOf({ shards: [{ index, count: 2 }] }),
  })
}

const merge = (...operands: string[]) => runInProcess(command, ['merge', '-o', 'json', ...operands], { cwd })
const save = (name: string, document: object) => writeFile(join(cwd, name), JSON.stringify(document))

test('reports of all parts make one', async () => {
  await save('1.json', { ...part(1, 'copied'), result: { ok: true, changed: true } })
  await save('2.json', part(2, 'same'))
  const ran = await merge('1.json', '2.json')
  expect(ran.exit).toBe(0)
  const report = JSON.parse(ran.stdout) as SyncReport & { result: object }
  expect(report.totals).toMatchObject({ copied: part(1, 'copied').images.length, failed: 0 })
  expect(report.readiness).toMatchObject({ ready: true, images: 10 })
  expect(report.result).toMatchObject({ ok: true, changed: true })
})

test('the report of a part that failed counts, with its exit code', async () => {
  await save('1.json', { ...part(1, 'failed'), result: { ok: false, changed: false } })
  await save('2.json', part(2, 'same'))
  const ran = await merge('1.json', '2.json')
  expect(ran.exit).toBe(82)
  expect(JSON.parse(ran.stdout)).toMatchObject({
    result: { ok: false, changed: false },
    readiness: { ready: false },
  })
})

test('a part without a report makes it incomplete', async () => {
  await save('2.json', part(2, 'copied'))
  const ran = await merge('2.json')
  expect(ran.exit).toBe(83)
  expect(JSON.parse(ran.stdout)).toMatchObject({ shards: [{ index: 2, count: 2 }], result: { ok: false } })
})

test('what a part wrote that could not even begin is refused', async () => {
  await save('1.json', part(1, 'copied'))
  await save('2.json', { apiVersion: 'carryall/v1', kind: 'Failure', tool: { name: 'reg-sync' }, errors: [] })
  expect((await merge('1.json', '2.json')).exit).toBe(66)
  await save('2.json', { ...part(2, 'copied'), plan_digest: `sha256:${'0'.repeat(64)}` })
  expect((await merge('1.json', '2.json')).exit).toBe(65)
})
