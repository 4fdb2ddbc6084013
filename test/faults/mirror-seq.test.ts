import { appendFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBreaches, need, output, sample, seed } from './harness/index.ts'
import { makeCases, type MirrorCase } from './mirror-seq/cases.ts'
import { disturbMirror, isTelling, measure, placesIn } from './mirror-seq/disturb-mirror.ts'
import { startSite, type Site } from './mirror-seq/site.ts'
import { readState } from './mirror-seq/state.ts'

/** Faults that are tried for each case where not all are asked for. */
const SAMPLE = { SIGKILL: 10, EIO: 2, ENOSPC: 2 } as const
/** What there is beside the sequences when all is done. */
const TIDY = ['.carryall', '.carryall/head.json', '.carryall/lock', '.carryall/staging']
/** Runs at once, each in a content directory of its own. */
const AT_ONCE = 2

let site: Site
let cases: readonly MirrorCase[]

beforeAll(async () => {
  await need('strace', 'docker-registry', 'sha256sum', 'cp')
  site = await startSite()
  cases = await makeCases(site)
})

afterAll(() => site[Symbol.asyncDispose]())

const caseOf = (name: MirrorCase['name']) => cases.find((one) => one.name === name)!
const contentOf = (slot: number) => site.scratch.at(`slot-${slot}`, 'content')

test('number 2 is the same, byte for byte, however its run began', async () => {
  const { after } = await measure(caseOf('the next sequence'), contentOf(0))
  for (const name of ['a run that goes on', 'a run that begins anew'] as const) {
    expect((await measure(caseOf(name), contentOf(0))).after, name).toEqual(after)
  }
})

test('the checker finds a changed byte, a file too many, one that is gone, and the head of another directory', async () => {
  const one = caseOf('the first sequence')
  const content = contentOf(0)
  const { after } = await measure(one, content)
  const [sequence] = Object.keys(after.sequences)
  const at = (name: string) => join(content, sequence!, name)
  const faults = async () => (await readState(content)).faults
  await appendFile(at('images.ndjson'), ' ')
  expect(await faults()).toEqual([expect.stringContaining('images.ndjson: FAILED')])
  await truncate(at('images.ndjson'), (await stat(at('images.ndjson'))).size - 1)
  expect(await faults()).toEqual([])
  await writeFile(at('.carryall-tmp-0'), '')
  expect(await faults()).toEqual([expect.stringContaining('it holds .carryall-tmp-0,')])
  await rm(at('.carryall-tmp-0'))
  await output('cp', '-a', content, `${content}-copy`)
  expect((await readState(`${content}-copy`)).faults).toEqual(['head.json is of another directory'])
  await rm(`${content}-copy`, { recursive: true })
  await rm(join(content, sequence!), { recursive: true })
  expect(await faults()).toEqual([expect.stringContaining('head.json is at 1, not at 0')])
})

describe.for([
  'the first sequence',
  'the next sequence',
  'a run that goes on',
  'a run that begins anew',
] as const)('%s', (name) => {
  const measured = (content: string) => measure(caseOf(name), content)

  test('its calls are in the order that durability asks for', async () => {
    const content = contentOf(0)
    const { before, after, calls } = await measured(content)
    const made = Object.keys(after.sequences).filter((sequence) => !(sequence in before.sequences))
    expect(made).toHaveLength(1)
    expect(after.faults).toEqual([])
    expect(after.others).toEqual(TIDY)
    // What an earlier run staged has its name from that one.
    const staged = new Set(before.others.map((path) => basename(path)))
    const files = Object.keys(after.sequences[made[0]!]!)
      .filter((file) => !staged.has(file))
      .map((file) => join(content, made[0]!, file))
    expect(files.length).toBeGreaterThan(5)
    expect(findBreaches(calls, [...files, join(content, '.carryall', 'head.json')])).toEqual([])
  })

  test.for(['SIGKILL', 'EIO', 'ENOSPC'] as const)(
    '%s at any call publishes all or nothing, and a second run ends it',
    async (what) => {
      const it = await measured(contentOf(0))
      const all = placesIn(contentOf(0), it.calls, what)
      expect(all.length).toBeGreaterThan(100)
      const telling = what === 'SIGKILL' ? () => false : isTelling(it.calls)
      const others = all.filter((fault) => !telling(fault))
      const chosen = [...all.filter(telling), ...sample(others, SAMPLE[what])].values()
      const found: string[] = []
      const worker = async (slot: number): Promise<void> => {
        for (const fault of chosen) found.push(...(await disturbMirror(it, fault, contentOf(slot))))
      }
      await Promise.all(Array.from({ length: AT_ONCE }, (_, slot) => worker(slot)))
      expect(found, `of ${all.length} places, with CARRYALL_SEED=${seed}`).toEqual([])
    },
  )
})
