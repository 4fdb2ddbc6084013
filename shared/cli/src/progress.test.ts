import { expect, test } from 'vitest'
import { createProgress, type ProgressOptions } from './create-progress.ts'
import type { Lines } from './messages.ts'
import { Tally } from './tally.ts'

function setUp(options: Partial<ProgressOptions> = {}) {
  const written: string[] = []
  const raw: string[] = []
  let time = 0
  const lines: Lines = {
    through: undefined,
    write: (line) => (lines.through === undefined ? written.push(line) : lines.through(line)),
  }
  const progress = createProgress(lines, {
    tool: 'probe',
    mode: 'auto',
    quiet: false,
    logFormat: 'text',
    terminal: false,
    color: false,
    columns: () => 100,
    write: (text) => void raw.push(text),
    ticks: () => time,
    now: () => new Date(0),
    ...options,
  })
  return { progress, written, raw, lines, pass: (ms: number) => (time += ms) }
}

test('rate and time left follow the last seconds', () => {
  let time = 0
  const tally = new Tally('Fetching', { items: 10, bytes: 100_000_000 }, () => time)
  expect(tally.secondsLeft).toBeUndefined()
  for (let second = 1; second <= 20; second++) {
    time = second * 1000
    tally.advance(second <= 4 ? 10_000_000 : 1_000_000)
  }
  expect(tally.bytes).toBe(56_000_000)
  expect(tally.rate).toBeCloseTo(1_000_000, -4)
  expect(tally.secondsLeft).toBeCloseTo(44, 0)
  expect(tally.status).toBe('0/10  56.0 MB of 100 MB  1.0 MB/s  44s left')
})

test('plain: one line per finished item and one at the end', () => {
  const { progress, written, pass } = setUp()
  const phase = progress.phase('Fetching', { items: 810 })
  phase.started('a')
  phase.started('b')
  phase.advanced(12_300_000)
  pass(2000)
  phase.finished('b', '12.3 MB')
  phase.failed('a\u001b[2J', new Error('gone'))
  phase.end()
  phase.end()
  expect(written).toEqual([
    '[1/810] b  12.3 MB',
    '[2/810] a\\u{1b}[2J  failed: INTERNAL Unexpected: Error: gone',
    'Fetching: 2/810, 12.3 MB in 2.0s (6.2 MB/s), 1 failed',
  ])
})

test('json: events, with a progress event at most once a second', () => {
  const { progress, written, pass } = setUp({ mode: 'json' })
  const phase = progress.phase('Fetching', { items: 2, bytes: 1000 })
  phase.started('a')
  for (let at = 0; at < 30; at++) {
    pass(100)
    phase.advanced(10)
  }
  phase.finished('a', 'done')
  phase.failed('b', new Error('gone'))
  phase.end()
  const events = written.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(events.map((event) => event['event'])).toEqual([
    'phase',
    'started',
    'progress',
    'progress',
    'progress',
    'finished',
    'failed',
    'end',
  ])
  expect(events[4]).toMatchObject({
    v: 1,
    tool: 'probe',
    phase: 'Fetching',
    index: 0,
    items: 2,
    bytes: 300,
    total_bytes: 1000,
    bytes_per_second: 100,
    seconds_left: 7,
  })
  expect(events.at(-1)).toMatchObject({ index: 2, failed: 1, seconds: 3 })
})

test('auto is quiet with -q and JSON where the log is', () => {
  const quiet = setUp({ quiet: true })
  quiet.progress.phase('Fetching').end()
  expect(quiet.written).toEqual([])
  const json = setUp({ logFormat: 'json' })
  json.progress.phase('Fetching').end()
  expect(json.written[0]).toMatch(/^\{/)
})

test('a phase that is left open ends with the next one and with the run', async () => {
  const { progress, written } = setUp()
  progress.phase('Resolving')
  progress.phase('Fetching')
  await progress.close()
  expect(written.map((line) => line.split(':')[0])).toEqual(['Resolving', 'Fetching'])
})

test('on a terminal: one listr2 task a phase, messages above it, no colours if they are off, all of it out at the end', async () => {
  const { progress, written, raw, lines } = setUp({ terminal: true })
  const phase = progress.phase('Fetching', { items: 3 })
  phase.started('registry.example/a')
  phase.started('registry.example/b')
  phase.started('registry.example/c')
  await expect
    .poll(() => raw.join(''), { timeout: 5000 })
    .toContain('0/3  registry.example/a, registry.example/b +1')
  lines.write('a warning')
  for (const item of ['a', 'b', 'c']) phase.finished(`registry.example/${item}`)
  phase.end()
  progress.phase('Verifying').end()
  await progress.close()
  const text = raw.join('')
  expect(text).toContain('a warning')
  expect(text).toMatch(/Fetching: 3\/3.*Verifying: 0/s)
  // eslint-disable-next-line no-control-regex -- colours are control sequences
  expect(text).not.toMatch(/\u001b\[[0-9;]*m/)
  expect(written).toEqual([])
  expect(lines.through).toBeUndefined()
})
