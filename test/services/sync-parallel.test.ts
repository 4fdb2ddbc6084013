import { hash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Job } from 'kubernetes-models/batch/v1'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Exit } from '@carryall/errors'
import { readDocuments, type SyncPlan, type SyncReport } from '@carryall/schemas'
import { installBundles, type Installed } from '../support/bundles.ts'
import { actionFor, type JobLike } from '../support/pod-failure-policy.ts'
import { failure, only } from '../support/ran.ts'
import { run } from '../support/run.ts'
import { startSyncEnds, type SyncEnds } from '../support/sync-ends.ts'
import { syncSet } from '../support/sync-set.ts'
import { lacking, storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

const images = syncSet(12, 2)
const WORKERS = 3

let ends: SyncEnds
let below: string
let plan: string
let runs = 0
beforeAll(async () => {
  ends = await startSyncEnds()
  await storeImages(ends.source.registry.storage, images)
  return () => ends[Symbol.asyncDispose]()
})
beforeEach(async () => {
  ends.heal()
  below = `run-${++runs}`
  plan = ends.scratch.at(`${below}.json`)
  const operands = [`${ends.operands[0]}/team`, `${ends.operands[1]}/${below}`]
  only<SyncPlan>(await regSync(['plan', ...operands, '--result', plan]))
})

async function expectAll(): Promise<void> {
  const { storage } = ends.destination.registry
  const names = images.map(({ repository, tag, sample }) => [
    `${repository.replace('team', below)}:${tag}`,
    sample.manifest.digest,
  ])
  expect(await tagsIn(storage, below)).toEqual(Object.fromEntries(names))
  for (const image of images)
    expect(await lacking(storage, { ...image, repository: image.repository.replace('team', below) })).toEqual(
      [],
    )
}

describe('GNU parallel', () => {
  let installed: Installed
  beforeAll(async () => {
    installed = await installBundles()
  })
  afterAll(() => installed[Symbol.asyncDispose]())

  /** `reg-sync apply PLAN --shard {}/3` by three workers; each leaves its process id. */
  const parallel = (...flags: readonly string[]) =>
    run(
      'parallel',
      [
        ...['--will-cite', '--jobs', String(WORKERS), '--joblog', ends.scratch.at('jobs'), ...flags],
        `echo $$ >pid{}; exec reg-sync apply ${plan} --shard {}/${WORKERS} --result report{}.json --state-dir state -q`,
        ...[':::', '1', '2', '3'],
      ],
      {
        cwd: ends.scratch.path,
        env: { PATH: installed.path, HOME: ends.scratch.path, TMPDIR: ends.scratch.path, SHELL: '/bin/sh' },
      },
    )
  const jobs = async () =>
    (await readFile(ends.scratch.at('jobs'), 'utf8'))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'))
      .map(([seq, , , , , , exit, signal]) => [seq, exit, signal])

  test('a worker that is killed is started again, and the reports are one', async () => {
    // The first 48 bits of the sha256 of the name, modulo the number of parts.
    const isOfSecond = (repository: string): boolean =>
      Number.parseInt(hash('sha256', repository).slice(0, 12), 16) % WORKERS === 1
    const { proxy } = ends.destination
    let tags = 0
    proxy.faults = async ({ method, path }) => {
      const repository = /^\/v2\/(.+)\/manifests\//.exec(path)?.[1]
      if (method !== 'PUT' || repository === undefined || !isOfSecond(repository)) return undefined
      tags += 1
      if (tags === 2) process.kill(Number(await readFile(ends.scratch.at('pid2'), 'utf8')), 'SIGKILL')
      return undefined
    }
    expect((await parallel()).exit).toBe(1)
    expect((await jobs()).toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
      ['1', '0', '0'],
      ['2', '0', '9'],
      ['3', '0', '0'],
    ])
    const reports = [1, 2, 3].map((index) => ends.scratch.at(`report${index}.json`))
    expect(failure(await regSync(['merge', reports[0]!, reports[2]!]))[0]).toBe(83)

    ends.heal()
    const before = ends.destination.proxy.requests.length
    const again = await parallel('--resume-failed')
    expect([again.exit, again.stderr]).toEqual([0, ''])
    expect((await jobs()).slice(3)).toEqual([['2', '0', '0']])
    const asked = ends.destination.proxy.requests.slice(before).map(({ path }) => path)
    const repositories = asked.flatMap((path) => /^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(path)?.[1] ?? [])
    expect(repositories.filter((repository) => !isOfSecond(repository))).toEqual([])

    const { document } = only<SyncReport>(await regSync(['merge', ...reports]))
    // A tag that was on its way when the worker died was there when it came back.
    const { readiness, totals } = document
    expect(readiness).toMatchObject({ ready: true, images: 24 })
    expect([totals.copied + totals.same, totals.failed]).toEqual([24, 0])
    expect(document.shards).toBeUndefined()
    await expectAll()
  })
})

describe('an Indexed Job of Kubernetes', () => {
  const file = join(import.meta.dirname, '../../tools/reg-sync/examples/job.yaml')
  const read = async () => readDocuments(await readFile(file), file) as [JobLike & Record<string, unknown>]

  test('is what the schema of batch/v1 says', async () => {
    const [job, ...others] = await read()
    expect(others).toEqual([])
    expect([job['apiVersion'], job['kind']]).toEqual(['batch/v1', 'Job'])
    const validated = (value: object) => new Job(value as ConstructorParameters<typeof Job>[0]).validate()
    expect(() => validated(job)).not.toThrow()
    const { spec } = job
    const [rule] = spec.podFailurePolicy.rules.slice(-1)
    const broken = { ...rule, onExitCodes: { ...rule!.onExitCodes, values: ['84'] } }
    expect(() => validated({ ...job, spec: { ...spec, podFailurePolicy: { rules: [broken] } } })).toThrow()
    expect(() => validated({ ...job, spec: { ...spec, completionMode: 'Sharded' } })).toThrow()
  })

  test('starts anew what may go better then, and nothing else', async () => {
    const [job] = await read()
    const actions = Object.groupBy(Object.values(Exit), (exit) => actionFor(job, exit))
    expect(actions).toEqual({
      Complete: [Exit.OK],
      Count: expect.arrayContaining([Exit.PARTIAL, Exit.UNAVAILABLE, Exit.IO, Exit.TEMPFAIL]),
      FailJob: [Exit.USAGE, Exit.DATA, Exit.NOINPUT, Exit.CONFIG],
      FailIndex: [Exit.SOFTWARE, Exit.PROTOCOL, Exit.NOPERM, Exit.INTEGRITY, Exit.CONFLICT],
    })
    const codes = job.spec.podFailurePolicy.rules.flatMap(({ onExitCodes }) => onExitCodes?.values ?? [])
    expect(codes.every((code) => (Object.values(Exit) as number[]).includes(code))).toBe(true)
  })

  test('covers the plan by its pods', async () => {
    const [{ spec }] = await read()
    const [container] = spec.template.spec.containers
    await writeFile(ends.scratch.at('auth.json'), '{}', { mode: 0o600 })
    const at: Readonly<Record<string, string>> = {
      '/plan/plan.json': plan,
      '/auth/auth.json': ends.scratch.at('auth.json'),
      '/state': ends.scratch.at('state'),
    }
    for (let index = 0; index < spec.completions; index++) {
      const argv = container!.args.map((argument) =>
        argument
          .replace('$(JOB_COMPLETION_INDEX)', String(index))
          .replace(/\/(?:plan\/plan\.json|auth\/auth\.json|state)(?=\/|$)/, (path) => at[path]!),
      )
      only(await regSync(argv, { env: { JOB_COMPLETION_INDEX: String(index) } }))
    }
    const reports = Array.from({ length: spec.completions }, (_, index) =>
      ends.scratch.at('state', `report-${index}.json`),
    )
    const { document } = only<SyncReport>(await regSync(['merge', ...reports]))
    expect(document.totals.copied).toBe(24)
    await expectAll()
  })
})
