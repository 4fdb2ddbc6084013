import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { syncEventKind, type SyncEvent } from '@carryall/schemas'
import { BatchedWriter } from './batched-writer.ts'
import { openJournal, type Journal } from './journal.ts'
import { readJournal } from './read-journal.ts'
import { NOW, outcomeOf, PLAN_DIGEST, planned, TOOL, digestOf } from './testing/sync-samples.ts'

let file: string
beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'carryall-journal-'))
  file = join(directory, 'runs', 'run.ndjson')
  return () => rm(directory, { recursive: true })
})

const options = { planDigest: PLAN_DIGEST, tool: TOOL, clock: () => NOW }
const fault = (code: string, exit: number) => expect.objectContaining({ code, exit })

const images = ['team/a:v1', 'team/a:v2', 'team/b:v1'].map((name) => planned(name))
const copied = images.map((image) =>
  outcomeOf(image, { outcome: 'copied', bytes: 1000, seconds: 0.25, verified: 'tag' }),
)

async function written(
  ...outcomes: readonly Parameters<Journal['image']>[0][]
): Promise<readonly SyncEvent[]> {
  await using journal = await openJournal(file, options)
  for (const outcome of outcomes) journal.image(outcome)
  await journal.end(1)
  return await readJournal(file)
}

test('a run is told from its begin to its end, each line continuing the one before it', async () => {
  const failed = outcomeOf(images[1]!, {
    outcome: 'failed',
    error: { code: 'NET_TIMEOUT', message: 'No answer' },
  })
  const events = await written(copied[0]!, failed)
  expect(events.map(({ event }) => event)).toEqual(['begin', 'image', 'image', 'end'])
  expect(events[0]).toMatchObject({ plan_digest: PLAN_DIGEST, tool: TOOL })
  expect(events[1]).toMatchObject({
    destination: { registry: 'dr.example', repository: 'team/a', tag: 'v1' },
    outcome: 'copied',
    digest: images[0]!.digest,
    bytes: 1000,
    milliseconds: 250,
  })
  expect(events[2]).toMatchObject({ outcome: 'failed', error: { code: 'NET_TIMEOUT' } })
  expect(events[3]).toMatchObject({ exit: 1, time: NOW.toISOString() })
  const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/)
  expect(events.map(({ previous }) => previous)).toEqual([undefined, ...lines.slice(0, -1).map(digestOf)])
  const keys = Object.keys(syncEventKind.schema.shape)
  for (const line of lines) {
    const own = Object.keys(JSON.parse(line) as object)
    expect(own).toEqual(keys.filter((key) => own.includes(key)))
  }
  expect((await stat(file)).mode & 0o777).toBe(0o640)
})

test('a second part of the run knows what the first has finished, and continues its chain', async () => {
  await written(copied[0]!, outcomeOf(images[1]!, { outcome: 'failed' }))
  await using journal = await openJournal(file, options)
  expect([...journal.done.keys()]).toEqual(['dr.example/team/a:v1'])
  journal.image(copied[1]!)
  await journal.end(1)
  expect((await readJournal(file)).map(({ event }) => event)).toEqual([
    'begin',
    'image',
    'image',
    'end',
    'begin',
    'image',
    'end',
  ])
})

test('what a run has done to its end is asked for again: it may be gone by now', async () => {
  await written(copied[0]!)
  const second = await openJournal(file, options)
  second.image(copied[1]!)
  await second.end(0)
  await second.close()
  const third = await openJournal(file, options)
  expect(third.done.size).toBe(0)
  third.image(copied[2]!)
  await third.close()
  await using fourth = await openJournal(file, options)
  expect([...fourth.done.keys()]).toEqual(['dr.example/team/b:v1'])
})

test('where there is no journal one is begun', async () => {
  await using journal = await openJournal(file, options)
  expect(journal.done.size).toBe(0)
  expect(await readJournal(file)).toHaveLength(1)
})

test('a run of another plan is written behind it, and knows nothing of it', async () => {
  const events = await written(copied[0]!)
  const other = await openJournal(file, { ...options, planDigest: digestOf('other') })
  expect(other.done.size).toBe(0)
  await other.close()
  expect((await readJournal(file)).slice(0, events.length)).toEqual(events)
  await using again = await openJournal(file, options)
  expect(again.done.size).toBe(0)
})

test('it has one writer at a time', async () => {
  await using journal = await openJournal(file, options)
  await expect(openJournal(file, options)).rejects.toThrow(fault('LOCK_HELD', 75))
  await journal.close()
  await (await openJournal(file, options)).close()
})

test('cut at any byte it resumes with the whole lines that are left', async () => {
  const events = await written(...copied)
  const whole = await readFile(file)
  const lines = whole.toString().split(/(?<=\n)/)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), async (length) => {
      await writeFile(file, whole.subarray(0, length))
      const left = lines.filter((_, at) => lines.slice(0, at + 1).join('').length <= length).length
      expect(await readJournal(file)).toEqual(events.slice(0, left))
      await using journal = await openJournal(file, options)
      expect(journal.done.size).toBe(Math.min(3, Math.max(0, left - 1)))
      expect((await readJournal(file)).map(({ event }) => event)).toEqual([
        ...events.slice(0, left).map(({ event }) => event),
        'begin',
      ])
    }),
    { numRuns: 40 },
  )
})

test('changed in any byte before the last line it is broken', async () => {
  await written(...copied)
  const whole = await readFile(file)
  const last = whole.lastIndexOf('\n', whole.length - 2) + 1
  await fc.assert(
    fc.asyncProperty(fc.nat(last - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= change
      await writeFile(file, damaged)
      await expect(readJournal(file)).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(?:SYNC_JOURNAL_BROKEN|SCHEMA_NEWER)$/) }),
      )
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['a line is gone', (lines: string[]) => lines.toSpliced(1, 1), 2],
  ['the first line is gone', (lines: string[]) => lines.slice(1), 1],
  ['two lines changed places', (lines: string[]) => lines.toSpliced(1, 2, lines[2]!, lines[1]!), 2],
  ['an empty line is put in', (lines: string[]) => lines.toSpliced(2, 0, '\n'), 3],
  ['another journal follows', (lines: string[]) => [...lines, ...lines], 6],
])('it is broken where %s', async (_what, damage, line) => {
  await written(...copied)
  const lines = (await readFile(file, 'utf8')).split(/(?<=\n)/)
  await writeFile(file, damage(lines).join(''))
  const broken = expect.objectContaining({
    code: 'SYNC_JOURNAL_BROKEN',
    exit: 82,
    details: expect.objectContaining({ location: { file, line } }),
  })
  await expect(readJournal(file)).rejects.toThrow(broken)
  await expect(openJournal(file, options)).rejects.toThrow(broken)
})

test('lines of a newer release that a reader must know are not taken for damage', async () => {
  await written()
  await writeFile(
    file,
    `${(await readFile(file, 'utf8')).split('\n')[0]!.replace('"event"', '"critical":["later"],"event"')}\n`,
  )
  await expect(readJournal(file)).rejects.toThrow(fault('SCHEMA_NEWER', 65))
})

test('what is no journal is not written to', async () => {
  await written()
  await writeFile(file, 'my notes\n')
  await expect(openJournal(file, options)).rejects.toThrow(fault('SYNC_JOURNAL_BROKEN', 82))
  expect(await readFile(file, 'utf8')).toBe('my notes\n')
  await expect(readJournal(`${file}.none`)).rejects.toThrow(fault('INPUT_NOT_FOUND', 66))
})

test('kill -9 loses no line that the run had time to write', async () => {
  const script = `
    const { openJournal } = await import(${JSON.stringify(join(import.meta.dirname, 'journal.ts'))})
    const { setTimeout } = await import('node:timers/promises')
    const journal = await openJournal(${JSON.stringify(file)}, { planDigest: ${JSON.stringify(PLAN_DIGEST)},
      tool: ${JSON.stringify(TOOL)}, clock: () => new Date() })
    for (let at = 0; at < 100; at++)
      journal.image({ destination: { registry: 'dr.example', repository: 'team/app', tag: 'v' + at },
        digest: ${JSON.stringify(digestOf('x'))}, state: 'missing', outcome: 'copied' })
    await setTimeout(300)
    process.stdout.write('written')
    await setTimeout(60_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  await appendFile(file, '{"apiVersion":"carryall/v1","kind":"Syn')
  await using journal = await openJournal(file, options)
  expect(journal.done.size).toBe(100)
})

test('a sync of 810 images spends less than 100 ms on it', async () => {
  const spent: number[] = []
  for (const run of [1, 2, 3]) {
    const path = `${file}${run}`
    await using journal = await openJournal(path, options)
    const start = performance.now()
    for (let at = 0; at < 810; at++) {
      journal.image({ ...copied[0]!, destination: { ...copied[0]!.destination, tag: `v${at}` } })
      if (at % 10 === 0) await new Promise(setImmediate)
    }
    await journal.end(0)
    spent.push(performance.now() - start)
    expect(await readJournal(path)).toHaveLength(812)
  }
  // The quickest: what else the machine has to do is no part of it.
  expect(Math.min(...spent)).toBeLessThan(100)
})

test('what cannot be written is told once, tried again with the next line, and thrown at the end', async () => {
  const told: unknown[] = []
  await using full = await open('/dev/full', 'w')
  const writer = new BatchedWriter(full, 0, (error) => told.push(error))
  for (const line of ['a\n', 'b\n']) {
    writer.add(line)
    await new Promise((done) => setTimeout(done, 5))
  }
  await expect(writer.settle()).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(told).toHaveLength(1)
})

test('when there is room again nothing is missing', async () => {
  await written()
  await using handle = await open(file, 'r+')
  let full = true
  const port = {
    // Half of it still fits.
    write: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
      if (!full) return await handle.write(buffer, offset, length, position)
      if (length > 1) return await handle.write(buffer, offset, length >> 1, position)
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    },
    sync: () => handle.sync(),
  } as unknown as FileHandle
  const writer = new BatchedWriter(port, 0, () => (full = false))
  writer.add('one\n')
  await new Promise((done) => setTimeout(done, 20))
  expect(full).toBe(false)
  writer.add('two\n')
  await writer.settle()
  expect((await readFile(file, 'utf8')).startsWith('one\ntwo\n')).toBe(true)
})
