import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { failure, failureErrors } from '../support/ran.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { regSync } from '../support/tools.ts'

// What cannot be meant is refused before anybody is asked: nobody listens at port 1.
const ENDS = ['docker://127.0.0.1:1/team', 'docker://127.0.0.1:1/copy']
let scratch: Scratch
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(() => scratch[Symbol.asyncDispose]())

test.each([
  ['--tagg', 'x'],
  ['--verify', 'full'],
  ['--verify', 'sample:0'],
  ['--policy', 'latest'],
  ['--policy', 'latest=overwrite'],
  ['--semver', 'one'],
  ['--tag-regex', '('],
  ['--changed-since', 'yesterday'],
  ['--newest', '0'],
  ['--platform', 'linux'],
  ['--backup', 'old'],
  ['--backup', '{tag}-{tme}{digest}'],
  ['--max-delete', '-1'],
  ['--bandwidth', 'fast'],
  ['--src-api', 'harbour'],
  ['--check', '--dry-run'],
])('%s %s is no flag for it', async (...flags) => {
  const ran = await regSync([...ENDS, ...flags])
  expect([ran.exit, ran.stdout]).toEqual([64, ''])
})

test.each([
  ['prod.example', 'docker://dr.example'],
  ['https://prod.example', 'docker://dr.example'],
  ['docker://prod.example/Team', 'docker://dr.example'],
  ['docker://prod.example/team/app:1.0:2', 'docker://dr.example'],
  ['docker://prod.example/team', 'docker://dr.example/team/app:1.0'],
  ['aply', 'plan.json'],
])('%s to %s is no way', async (...operands) => {
  expect((await regSync(operands)).exit).toBe(64)
})

test('a plan pulls nothing', async () => {
  expect((await regSync(['plan', ...ENDS, '--verify', 'sample:3'])).exit).toBe(64)
})

const pair = (more: string): string =>
  `sync:\n  - source: docker://127.0.0.1:1/team\n    destination: docker://127.0.0.1:1/copy\n${more}`
test.each<[string, number, string, string]>([
  ['an unknown key', 65, '#/sync/0/repository', pair('    repository: {}')],
  ['a number as text', 65, '#/sync/0/tags/newest', pair('    tags: {newest: "3"}')],
  ['no pairs', 65, '#/sync', 'sync: []'],
  ['an unknown policy', 65, '#/sync/0/policies/latest', pair('    policies: {latest: overwrite}')],
  ['a platform without architecture', 65, '#/sync/0/platforms/0', pair('    platforms: [linux]')],
  ['a range that is none', 78, '#/sync/0/tags/semver', pair('    tags: {semver: one}')],
  ['a template without distinct tags', 78, '#/sync/0/backup', pair('    backup: old')],
  [
    'a password without a user',
    65,
    '#/registries/a.example',
    `registries: {a.example: {password_file: x}}\n${pair('')}`,
  ],
  [
    'a name that is none',
    78,
    '#/sync/0/destination',
    'sync: [{source: "docker://a.example/team", destination: "docker://b.example/Team"}]',
  ],
  [
    'a tag where many are wanted',
    78,
    '#/sync/0/source',
    'sync: [{source: "docker://a.example/team:1", destination: "docker://b.example"}]',
  ],
])('a configuration with %s is refused with %i, where it stands', async (_what, exit, pointer, text) => {
  const file = scratch.at('sync.yaml')
  await writeFile(file, `apiVersion: carryall/v1\nkind: SyncConfig\n${text}\n`)
  const ran = await regSync(['-c', file])
  expect(ran.exit).toBe(exit)
  const [error] = failureErrors(ran)
  expect(error).toMatchObject({ pointer, location: { file } })
})

test('anchors are refused, and so is more than one document', async () => {
  const file = scratch.at('sync.yaml')
  const head = 'apiVersion: carryall/v1\nkind: SyncConfig\n'
  const one = `${head}${pair('')}`
  await writeFile(file, one.replace('- source', '- &a\n    source'))
  expect(failure(await regSync(['-c', file]))).toEqual([65, 'INPUT_SYNTAX'])
  await writeFile(file, `${one}\n---\n${one}`)
  expect(failure(await regSync(['-c', file]))).toEqual([65, 'SCHEMA_INVALID'])
  expect((await regSync(['-c', file, ...ENDS])).exit).toBe(64)
})
