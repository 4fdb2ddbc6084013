import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { acquireLock } from '@carryall/durable'
import { registerSecret } from '@carryall/errors'
import { openEventLog, type EventLog, type EventLogOptions } from './event-log.ts'

let directory: string
let file: string
let now: Date
let warnings: unknown[]
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carryall-log-'))
  file = join(directory, 'syncBot.log')
  now = new Date('2026-11-21T08:00:00Z')
  warnings = []
  return () => rm(directory, { recursive: true })
})

const opened = (more: Partial<EventLogOptions> = {}): Promise<EventLog> =>
  openEventLog({ file, keep: 3, clock: () => now, warn: (error) => warnings.push(error), ...more })

async function logged(messages: readonly string[], more: Partial<EventLogOptions> = {}): Promise<void> {
  await using log = await opened(more)
  for (const message of messages) log.write('INFO', 'SYNC_SUCCESS', 'Image Sync', message)
}

const archives = async (): Promise<string[]> =>
  (await readdir(directory)).filter((name) => name.endsWith('.gz')).toSorted()
const unzipped = async (name: string): Promise<string> =>
  gunzipSync(await readFile(join(directory, name))).toString()
const texts = (lines: string): string[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(': ').at(-1)!)

test('an event is a line, in UTC', async () => {
  await logged(['Successfully synced: a -> b'])
  await logged(['next'])
  expect(await readFile(file, 'utf8')).toBe(
    '2026-11-21 08:00:00 [INFO] [SYNC_SUCCESS] Image Sync: Successfully synced: a -> b\n' +
      '2026-11-21 08:00:00 [INFO] [SYNC_SUCCESS] Image Sync: next\n',
  )
  expect((await stat(file)).mode & 0o007).toBe(0)
  expect(await readdir(directory)).toEqual(['syncBot.log'])
})

test('what is below the level is left out', async () => {
  for (const level of [undefined, 'DEBUG', 'WARNING'] as const) {
    await using log = await opened(level === undefined ? {} : { level })
    log.write('DEBUG', 'IMAGE_EXISTS', 'x', `debug at ${level}`)
    log.write('INFO', 'IMAGE_EXISTS', 'x', `info at ${level}`)
    log.write('ERROR', 'SYNC_FAILED', 'x', `error at ${level}`)
  }
  expect(texts(await readFile(file, 'utf8'))).toEqual([
    'info at undefined',
    'error at undefined',
    'debug at DEBUG',
    'info at DEBUG',
    'error at DEBUG',
    'error at WARNING',
  ])
})

test('no message can forge a line, move a cursor or show a secret', async () => {
  registerSecret('hunter2-and-more')
  await logged([
    'one\n2026-11-21 08:00:00 [INFO] [X] y: z',
    '\u001b[2Jcleared\r',
    'password hunter2-and-more',
  ])
  const text = await readFile(file, 'utf8')
  expect(text.split('\n')).toHaveLength(4)
  // eslint-disable-next-line no-control-regex -- control characters are what must not be there
  expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f]/)
  expect(text).not.toContain('hunter2')
})

test('a file that gets too large is compressed under the time of it, and the oldest go', async () => {
  const messages = Array.from({ length: 50 }, (_, at) => `message ${at} ${'x'.repeat(100)}`)
  for (const message of messages) {
    await logged([message], { rotateBytes: 1000 })
    now = new Date(now.getTime() + 60_000)
    expect((await stat(file)).size).toBeLessThanOrEqual(1000)
  }
  const names = await archives()
  expect(names).toHaveLength(3)
  for (const name of names) expect(name).toMatch(/^syncBot_20261121_08\d\d00\.log\.gz$/)
  const kept = (await Promise.all(names.map(unzipped))).join('') + (await readFile(file, 'utf8'))
  expect(texts(kept)).toEqual(messages.slice(-texts(kept).length))
  expect(texts(kept).length).toBeGreaterThan(18)
})

test('it is rotated while it is written, without a line lost, also twice in a second', async () => {
  const messages = Array.from({ length: 200 }, (_, at) => `message ${at}`)
  await using log = await opened({ rotateBytes: 1000, keep: 100 })
  for (const message of messages) {
    log.write('INFO', 'SYNC_SUCCESS', 'Image Sync', message)
    await new Promise(setImmediate)
  }
  await log.close()
  const names = await archives()
  expect(names.length).toBeGreaterThan(1)
  expect(texts((await Promise.all(names.map(unzipped))).join('') + (await readFile(file, 'utf8')))).toEqual(
    messages,
  )
  expect(warnings).toEqual([])
})

test('its age is that of its first line, over any number of runs', async () => {
  const day = 86_400_000
  const rotation = { rotateSeconds: 7 * 86_400 }
  for (let at = 0; at < 7; at++) {
    await logged([`day ${at}`], rotation)
    now = new Date(now.getTime() + day)
  }
  expect(await archives()).toEqual(['syncBot_20261128_080000.log.gz'].slice(1))
  await logged(['day 7'], rotation)
  expect(await archives()).toEqual(['syncBot_20261128_080000.log.gz'])
  expect(texts(await unzipped('syncBot_20261128_080000.log.gz'))).toEqual(
    [0, 1, 2, 3, 4, 5, 6].map((at) => `day ${at}`),
  )
  expect(texts(await readFile(file, 'utf8'))).toEqual(['day 7'])
})

test('a file whose first line tells no time is as old as the file is', async () => {
  await writeFile(file, 'a line of somebody else\n')
  now = new Date()
  await logged(['one'], { rotateSeconds: 3600 })
  expect(await archives()).toEqual([])
  now = new Date(now.getTime() + 3_601_000)
  await logged(['two'], { rotateSeconds: 3600 })
  expect(await archives()).toHaveLength(1)
})

test('only archives of this log are removed', async () => {
  const others = ['syncBot_notes.log.gz', 'other_20200101_000000.log.gz', 'syncBot_20200101_000000.log']
  for (const name of others) await writeFile(join(directory, name), 'keep me')
  await writeFile(join(directory, 'syncBot_20200101_000000.log.gz'), 'old')
  for (const message of ['one', 'two', 'three']) {
    await logged([message], { rotateBytes: 1, keep: 1 })
    now = new Date(now.getTime() + 1000)
  }
  const names = await readdir(directory)
  expect(names).toEqual(expect.arrayContaining(others))
  expect(names).not.toContain('syncBot_20200101_000000.log.gz')
  expect(names).toContain('syncBot_20261121_080002.log.gz')
})

test('two writers lose no line while one of them rotates', async () => {
  const more = { rotateBytes: 2000, keep: 1000 }
  const write = async (name: string): Promise<void> => {
    await using log = await opened(more)
    for (let at = 0; at < 150; at++) {
      log.write('INFO', 'SYNC_SUCCESS', 'Image Sync', `${name} ${at}`)
      await new Promise((done) => setTimeout(done, 1))
    }
  }
  await Promise.all([write('a'), write('b')])
  const all = (await Promise.all((await archives()).map(unzipped))).join('') + (await readFile(file, 'utf8'))
  const wanted = ['a', 'b'].flatMap((name) => Array.from({ length: 150 }, (_, at) => `${name} ${at}`))
  expect(texts(all).toSorted()).toEqual(wanted.toSorted())
})

test('while another rotates it goes on', async () => {
  await using _lock = await acquireLock(`${file}.lock`, { holder: 'another' })
  await logged(['one', 'two'], { rotateBytes: 1 })
  await logged(['three'], { rotateBytes: 1 })
  expect(texts(await readFile(file, 'utf8'))).toEqual(['one', 'two', 'three'])
  expect(await archives()).toEqual([])
  expect(warnings).toEqual([])
})

test('what keeps it from being rotated is told once, and lines go on', async () => {
  await logged(['one'])
  // Where the lock should be.
  await mkdir(`${file}.lock`)
  await using log = await opened({ rotateBytes: 1 })
  log.write('INFO', 'SYNC_SUCCESS', 'Image Sync', 'two')
  await new Promise((done) => setTimeout(done, 50))
  log.write('INFO', 'SYNC_SUCCESS', 'Image Sync', 'three')
  await log.close()
  expect(texts(await readFile(file, 'utf8'))).toEqual(['one', 'two', 'three'])
  expect(warnings).toHaveLength(1)
})

test('a full disk is told once and ends nothing', async () => {
  await using log = await opened({ file: '/dev/full' })
  for (const message of ['one', 'two', 'three']) {
    log.write('INFO', 'SYNC_SUCCESS', 'Image Sync', message)
    await new Promise((done) => setTimeout(done, 5))
  }
  await log.close()
  expect(warnings).toEqual([expect.objectContaining({ code: 'IO_NO_SPACE' })])
})

test('where there can be no log is said before the run', async () => {
  await expect(opened({ file: join(directory, 'none', 'x.log') })).rejects.toThrow(
    expect.objectContaining({ code: 'OUTPUT_NOT_WRITABLE', exit: 73 }),
  )
  await expect(opened({ file: directory })).rejects.toThrow(
    expect.objectContaining({ code: 'OUTPUT_NOT_WRITABLE' }),
  )
})
