import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const VITEST = resolve(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const REPORTERS = ['default', resolve(import.meta.dirname, 'count-reporter.ts')]
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryall-counts-'))
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { globals: true, reporters: ${JSON.stringify(REPORTERS)} } }`,
  )
})

afterEach(() => rm(folder, { recursive: true }))

interface Run {
  readonly status: number | null
  readonly lastLine: string | undefined
  readonly stderr: string
}

async function vitest(source: string, env: NodeJS.ProcessEnv = {}, ...args: readonly string[]): Promise<Run> {
  await writeFile(join(folder, 'a.test.mjs'), source)
  const { CI: _ci, CARRYALL_COUNTS: _counts, ...inherited } = process.env
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [VITEST, 'run', '--root', folder, ...args],
      { env: { ...inherited, ...env } },
      (_error, stdout, stderr) =>
        done({ status: child.exitCode, lastLine: stdout.trimEnd().split('\n').at(-1), stderr }),
    )
  })
}

const MIXED = `test('a', () => {}); test('b', () => {}); test.skip('c', () => {})`

test('a run ends with its counts, alone on the last line', async () => {
  expect(await vitest(MIXED)).toMatchObject({ status: 0, lastLine: '2 passed, 0 failed, 1 skipped' })
  const failing = await vitest(`${MIXED}; test('d', () => expect(1).toBe(2))`)
  expect(failing).toMatchObject({ status: 1, lastLine: '2 passed, 1 failed, 1 skipped' })
})

test('what fails outside of tests is counted as failed', async () => {
  expect(await vitest(`test('a', () => {}); throw new Error('no')`)).toMatchObject({
    status: 1,
    lastLine: '0 passed, 1 failed, 0 skipped',
  })
  const late = await vitest(
    `test('a', () => { setTimeout(() => { throw new Error('late') }) }); test('b', () => new Promise((r) => setTimeout(r, 50)))`,
  )
  expect(late).toMatchObject({ status: 1, lastLine: '2 passed, 1 failed, 0 skipped' })
})

test('in CI a skipped test fails the run and is named, unless a filter skipped it', async () => {
  const run = await vitest(MIXED, { CI: 'true' })
  expect(run).toMatchObject({ status: 1, lastLine: '2 passed, 0 failed, 1 skipped' })
  expect(run.stderr).toMatch(/a\.test\.mjs > c/)
  expect(await vitest(MIXED, { CI: 'true' }, '-t', 'a')).toMatchObject({
    status: 0,
    lastLine: '1 passed, 0 failed, 2 skipped',
  })
})

test('the counts go to the file that is asked for', async () => {
  const counts = join(folder, 'counts')
  const { lastLine } = await vitest(MIXED, { CARRYALL_COUNTS: counts })
  expect(lastLine).not.toMatch(/passed, \d+ failed/)
  expect(await readFile(counts, 'utf8')).toBe('2 passed, 0 failed, 1 skipped\n')
})
