import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { text } from './flag-makers.ts'
import { resolveFlags } from './resolve-flags.ts'
import { runInProcess, type RunOptions } from './testing/index.ts'
import { probe } from './testing/probe.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'settings-'))
  await mkdir(join(dir, 'home/carryall'), { recursive: true })
})
afterEach(() => rm(dir, { recursive: true }))

const HEAD = 'apiVersion: carryall/v1\nkind: Settings\n'
const system = (yaml: string) => writeFile(join(dir, 'settings.yaml'), HEAD + yaml)
const user = (yaml: string) => writeFile(join(dir, 'home/carryall/settings.yaml'), HEAD + yaml)

function echo(argv: readonly string[] = [], env: Record<string, string> = {}, more: RunOptions = {}) {
  return runInProcess(probe, ['echo', ...argv], {
    etc: dir,
    env: { XDG_CONFIG_HOME: join(dir, 'home'), ...env },
    ...more,
  })
}

async function description(argv: readonly string[], env?: Record<string, string>): Promise<unknown> {
  return (await echo(argv, env)).documents[0]?.['description']
}

test('command line, then environment, then settings (user, then system), then default', async () => {
  expect(await description([])).toBeUndefined()
  await system('tools:\n  probe:\n    description: system\n')
  expect(await description([])).toBe('system')
  await user('tools:\n  probe:\n    description: user\n')
  expect(await description([])).toBe('user')
  expect(await description([], { CARRYALL_DESCRIPTION: 'environment' })).toBe('environment')
  expect(await description(['--description', 'argv'], { CARRYALL_DESCRIPTION: 'environment' })).toBe('argv')
  expect(await description(['--description='], { CARRYALL_DESCRIPTION: 'environment' })).toBe('')
})

test('--settings names the only file; one that is missing is 66', async () => {
  await system('tools:\n  probe:\n    description: system\n')
  await writeFile(
    join(dir, 'own.yaml'),
    `${HEAD}common:\n  wait: 5m\ntools:\n  probe:\n    tag: [a, b]\n    signatures: false\n    retries: 7\n`,
  )
  const { documents } = await echo(['--settings', join(dir, 'own.yaml')])
  expect(documents[0]).toMatchObject({ wait: 300, tag: ['a', 'b'], signatures: false, retries: 7 })
  expect(documents[0]).not.toHaveProperty('description')
  expect((await echo(['--settings', join(dir, 'none.yaml')])).documents[0]).toMatchObject({
    errors: [{ code: 'INPUT_NOT_FOUND', exit: 66 }],
  })
})

test('an environment variable may hold a list, and is nothing if empty', async () => {
  const { documents } = await echo([], {
    CARRYALL_TAG: 'a,b',
    CARRYALL_DESCRIPTION: '',
    CARRYALL_DRY_RUN: '1',
  })
  expect(documents[0]).toMatchObject({ tag: ['a', 'b'], dry_run: true })
  expect(documents[0]).not.toHaveProperty('description')
})

test('what weakens a check comes from the command line only, and the other place is named', async () => {
  expect((await echo(['--overwrite'])).documents[0]).toMatchObject({ overwrite: true })
  const env = await echo([], { CARRYALL_OVERWRITE: 'false' })
  expect(env).toMatchObject({ exit: 78 })
  expect(env.stderr).toContain('CARRYALL_OVERWRITE')
  await system('tools:\n  probe:\n    overwrite: true\n')
  const file = await echo()
  expect(file.documents[0]).toMatchObject({
    errors: [
      {
        code: 'CONFIG_INVALID',
        exit: 78,
        pointer: '#/tools/probe/overwrite',
        location: { file: join(dir, 'settings.yaml') },
      },
    ],
  })
})

test.each([
  ['tools:\n  probe:\n    descripton: x\n', '#/tools/probe/descripton'],
  ['common:\n  description: x\n', '#/common/description'],
  ['tools:\n  probe:\n    description: 1.10\n', '#/tools/probe/description'],
  ['tools:\n  probe:\n    description: [a]\n', '#/tools/probe/description'],
  ['tools:\n  probe:\n    mode: slow\n', '#/tools/probe/mode'],
  ['tools:\n  probe:\n    version: true\n', '#/tools/probe/version'],
  ['tool: {}\n', '#/tool'],
])('a fault in the settings is 78 with its pointer: %j', async (yaml, pointer) => {
  await user(yaml)
  expect((await echo()).documents[0]).toMatchObject({
    errors: [{ code: 'CONFIG_INVALID', exit: 78, pointer }],
  })
})

test('what another tool takes from the file is its own affair', async () => {
  await user('tools:\n  other:\n    whatever: 1\n')
  expect(await echo()).toMatchObject({ exit: 0 })
})

test('a bad value is usage on the command line and configuration in the environment', async () => {
  expect(await echo(['--retries', '11'])).toMatchObject({ exit: 64, stdout: '' })
  expect(await echo([], { CARRYALL_RETRIES: '11' })).toMatchObject({ exit: 78 })
})

test('the state directory: given, root, XDG, home', async () => {
  const state = async (env: Record<string, string>, more: RunOptions = {}) =>
    (await echo([], env, more)).documents[0]?.['state_dir']
  expect(await state({ CARRYALL_STATE_DIR: '/srv/state' })).toBe('/srv/state')
  expect(await state({ XDG_STATE_HOME: '/x' }, { uid: 0 })).toBe('/var/lib/carryall')
  expect(await state({ XDG_STATE_HOME: '/x' })).toBe('/x/carryall')
  expect(await state({ XDG_STATE_HOME: 'relative', HOME: '/home/op' })).toBe('/home/op/.local/state/carryall')
})

test('SOURCE_DATE_EPOCH stops the clock, or is refused', async () => {
  expect((await echo([], { SOURCE_DATE_EPOCH: '1700000000' })).documents[0]).toMatchObject({
    now: '2023-11-14T22:13:20.000Z',
  })
  expect(await echo([], { SOURCE_DATE_EPOCH: 'today' })).toMatchObject({ exit: 78 })
})

test('a flag that is required may come from anywhere, but has to come', () => {
  const flags = { config: text('FILE', '', { short: 'c', required: true }) }
  const none = { given: new Map(), env: {}, settings: [] }
  expect(resolveFlags(flags, { ...none, env: { CARRYALL_CONFIG: 'a' } }).config).toBe('a')
  expect(() => resolveFlags(flags, none)).toThrow(
    expect.objectContaining({ code: 'USAGE_MISSING_OPERAND' }) as Error,
  )
})

test('what weakens a check is known to the verb, as it was given', async () => {
  const overrides = async (argv: string[]) => (await echo(argv)).documents[0]?.['overrides']
  expect(await overrides([])).toEqual([])
  expect(await overrides(['--overwrite'])).toEqual(['overwrite'])
  expect(await overrides(['--overwrite=true', '--tag', 'a'])).toEqual(['overwrite'])
  expect(await overrides(['--overwrite=false'])).toEqual([])
})

test('what is judged by the clock does not listen to SOURCE_DATE_EPOCH', async () => {
  const now = () => new Date('2026-01-02T03:04:05Z')
  expect((await echo([], { SOURCE_DATE_EPOCH: '1700000000' }, { now })).documents[0]).toMatchObject({
    now: '2023-11-14T22:13:20.000Z',
    clock: '2026-01-02T03:04:05.000Z',
  })
})
