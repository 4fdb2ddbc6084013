import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { AuditEntry } from '@carryall/schemas'
import { auditFile, auditHead, openAuditLog, recordAudit } from './audit-log.ts'
import { checkAuditLog } from './check-audit-log.ts'

const ENTRY = {
  tool: { name: 'by-hand', version: '1' },
  user: { uid: 0, name: 'root', login: 'alice' },
  action: 'land',
  target: '/srv/content/sample',
  outcome: 'done',
  overrides: [],
} satisfies Parameters<typeof recordAudit>[1]

let stateDir: string
let log: string

beforeEach(async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'carryall-audit-'))
  // It is made by whoever records first.
  stateDir = join(scratch, 'state')
  log = auditFile(stateDir)
  return () => rm(scratch, { recursive: true })
})

let minute = 0
const record = (changes: Partial<Parameters<typeof recordAudit>[1]> = {}): Promise<string> =>
  recordAudit(stateDir, { ...ENTRY, ...changes }, { now: () => new Date(Date.UTC(2026, 0, 1, 0, minute++)) })

const lines = async (): Promise<string[]> => (await readFile(log, 'utf8')).split(/(?<=\n)/)
const entries = async (): Promise<AuditEntry[]> =>
  (await lines()).map((line) => JSON.parse(line) as AuditEntry)
const digest = (line: string): string => `sha256:${hash('sha256', line)}`

describe('recording', () => {
  test('chains each entry to the bytes of the one before, and gives the head', async () => {
    const heads = [await record(), await record({ outcome: 'refused', code: 'SEQ_GAP' }), await record()]
    const written = await lines()
    expect(heads).toEqual(written.map(digest))
    expect((await entries()).map((entry) => entry.previous)).toEqual([undefined, heads[0], heads[1]])
    expect(await auditHead(stateDir)).toBe(heads[2])
    expect(await checkAuditLog(log)).toMatchObject({ entries: 3, intact: true, faults: [], head: heads[2] })
  })

  test('makes the log for its owner and group alone, whatever the umask', async () => {
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    await record()
    expect((await stat(log)).mode & 0o777).toBe(0o640)
  })

  test('has no head before the first entry, also where the log was opened', async () => {
    expect(await auditHead(stateDir)).toBeUndefined()
    await openAuditLog(stateDir)
    expect(await auditHead(stateDir)).toBeUndefined()
    const head = await record()
    await openAuditLog(stateDir)
    expect(await auditHead(stateDir)).toBe(head)
  })

  test('is refused where the log cannot be', async () => {
    await writeFile(stateDir, 'in the way')
    await expect(openAuditLog(stateDir)).rejects.toMatchObject({ exit: 73 })
    await expect(record()).rejects.toMatchObject({ exit: 73 })
  })

  test('finds the line before, however long it is', async () => {
    const head = await record({ note: 'x'.repeat(200_000) })
    expect(await auditHead(stateDir)).toBe(head)
    await record()
    expect(await checkAuditLog(log)).toMatchObject({ entries: 2, intact: true })
  })

  test('drops a line that was cut while it was written, wherever, and says so', async () => {
    await record()
    const whole = await record()
    const { size } = await stat(log)
    await record()
    const third = (await lines())[2]!
    for (const length of [1, 2, 100, third.length - 1]) {
      await truncate(log, size)
      await appendFile(log, third.slice(0, length))
      expect(await checkAuditLog(log)).toMatchObject({
        entries: 2,
        intact: true,
        cut_bytes: length,
        head: whole,
      })
      expect(await auditHead(stateDir)).toBe(whole)
      await record({ note: 'more' })
      expect((await entries())[2]).toMatchObject({
        previous: whole,
        note: expect.stringContaining(`${length} bytes`),
      })
      const report = await checkAuditLog(log)
      expect(report).toMatchObject({ entries: 3, intact: true })
      expect(report).not.toHaveProperty('cut_bytes')
    }
  })

  test('drops what is cut of the very first line', async () => {
    await openAuditLog(stateDir)
    await appendFile(log, '{"apiVersion":')
    await record()
    expect(await checkAuditLog(log)).toMatchObject({ entries: 1, intact: true })
  })

  test(
    'survives kill -9 at any time: the next entry continues an intact log',
    { timeout: 60_000 },
    async () => {
      for (const milliseconds of [0, 30, 60, 90]) {
        const child = start('killed', 1000)
        await once(child.stdout!, 'data')
        await new Promise((resolve) => setTimeout(resolve, milliseconds))
        child.kill('SIGKILL')
        await once(child, 'close')
        const head = await record()
        // The real clock of the process is ahead of the test's.
        const report = await checkAuditLog(log)
        expect(report).toMatchObject({ intact: true, head })
        expect(report.faults.filter(({ code }) => code !== 'SEQ_CLOCK')).toEqual([])
      }
    },
  )

  test('of several processes at once loses nothing and stays one chain', { timeout: 60_000 }, async () => {
    const children = ['one', 'two', 'three'].map((name) => start(name, 8))
    expect(await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]))).toEqual([
      0, 0, 0,
    ])
    expect(await checkAuditLog(log)).toMatchObject({ entries: 24, intact: true, faults: [] })
    const tools = (await entries()).map((entry) => entry.tool.name)
    for (const name of ['one', 'two', 'three']) expect(tools.filter((tool) => tool === name)).toHaveLength(8)
  })
})

describe('checking', () => {
  const COUNT = 6
  let written: string[]

  beforeEach(async () => {
    for (let at = 0; at < COUNT; at++) await record({ target: `target ${at}` })
    written = await lines()
  })

  const check = async (changed: readonly string[], expectHead?: string) => {
    await writeFile(log, changed.join(''))
    return checkAuditLog(log, expectHead === undefined ? {} : { expectHead })
  }
  const brokenAt = async (changed: readonly string[]): Promise<readonly number[]> => {
    const { intact, faults } = await check(changed)
    const broken = faults.filter(({ code }) => code === 'AUDIT_BROKEN')
    expect(intact).toBe(broken.length === 0)
    return broken.map(({ line }) => line)
  }

  test('tells of a tampered line by the one after it; of the last by the head', async () => {
    for (let at = 0; at < COUNT; at++) {
      const changed = written.with(at, written[at]!.replace(`target ${at}`, 'another one'))
      expect(await brokenAt(changed)).toEqual(at === COUNT - 1 ? [] : [at + 2])
      expect(await check(changed, digest(written.at(-1)!))).toMatchObject({
        expected_head: at === COUNT - 1 ? 'absent' : 'found',
      })
    }
  })

  test('tells of every flipped bit of a line in the middle', async () => {
    const line = Buffer.from(written[2]!)
    for (let at = 0; at < line.length; at++) {
      const flipped = Buffer.from(line)
      flipped[at]! ^= 1
      await writeFile(
        log,
        Buffer.concat([
          Buffer.from(written.slice(0, 2).join('')),
          flipped,
          Buffer.from(written.slice(3).join('')),
        ]),
      )
      expect((await checkAuditLog(log)).intact, `byte ${at}`).toBe(false)
    }
  })

  test('tells of a line that was removed, doubled, swapped or put in', async () => {
    for (let at = 0; at < COUNT - 1; at++) {
      expect(await brokenAt(written.toSpliced(at, 1))).toEqual([at + 1])
      expect(await brokenAt(written.toSpliced(at, 0, written[at]!))).toEqual([at + 2])
      expect(
        (await brokenAt(written.toSpliced(at, 2, written[at + 1]!, written[at]!))).length,
      ).toBeGreaterThan(0)
      expect(await brokenAt(written.toSpliced(at + 1, 0, '{"kind":"AuditEntry"}\n'))).toEqual(
        at + 2 <= COUNT ? [at + 2, at + 3] : [at + 2],
      )
    }
  })

  test('tells of lines that were cut off at the end by the head alone', async () => {
    const head = digest(written.at(-1)!)
    expect(await check(written, head)).toMatchObject({ intact: true, expected_head: 'found' })
    expect(await check(written, digest(written[1]!))).toMatchObject({ expected_head: 'found' })
    for (let left = 0; left < COUNT; left++)
      expect(await check(written.slice(0, left), head)).toMatchObject({
        entries: left,
        intact: true,
        expected_head: 'absent',
      })
  })

  test('names lines that are no entries', async () => {
    const bad = ['not json\n', '{}\n', '[]\n', '\n', '\u{1f600}\n', `${'x'.repeat(2_000_000)}\n`]
    const { entries: count, faults, intact } = await check([...written, ...bad])
    expect(intact).toBe(false)
    expect(count).toBe(COUNT + bad.length)
    expect(faults.map(({ line }) => line)).toEqual(bad.map((_, at) => COUNT + at + 1))
  })

  test('tells of time that goes back, which breaks no link', async () => {
    minute -= 5
    await record()
    expect(await checkAuditLog(log)).toMatchObject({
      intact: true,
      faults: [{ line: COUNT + 1, code: 'SEQ_CLOCK' }],
    })
  })

  test('sums up who did what, and which checks were weakened', async () => {
    await record({ action: 'push', outcome: 'failed', code: 'NET_TIMEOUT', overrides: ['allow-expired'] })
    await record({ user: { uid: 7 }, outcome: 'refused', code: 'SEQ_GAP' })
    const report = await checkAuditLog(log)
    expect(report).toMatchObject({
      actions: [
        { name: 'land', entries: COUNT + 1 },
        { name: 'push', entries: 1 },
      ],
      users: [
        { name: 'alice as root', entries: COUNT + 1 },
        { name: 'uid 7', entries: 1 },
      ],
      outcomes: [
        { name: 'done', entries: COUNT },
        { name: 'failed', entries: 1 },
        { name: 'refused', entries: 1 },
      ],
      overrides: [{ line: COUNT + 1, user: 'alice as root', action: 'push', flags: ['allow-expired'] }],
    })
  })

  test('of an empty log is no fault, of none is one', async () => {
    expect(await check([])).toMatchObject({ entries: 0, intact: true, faults: [] })
    await expect(checkAuditLog(join(stateDir, 'none'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  })

  test('lists no more than 1000 faults', async () => {
    const report = await check(Array<string>(1500).fill('{}\n'))
    expect(report.faults).toHaveLength(1000)
    expect(report).toMatchObject({ entries: 1500, intact: false })
  })
})

function start(name: string, count: number): ReturnType<typeof spawn> {
  const program = join(import.meta.dirname, 'testing/append-entries.ts')
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', process.execPath, program, stateDir, name, String(count)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}
