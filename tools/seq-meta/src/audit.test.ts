import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { runInProcess, type Ran } from '@carryall/cli/testing'
import { auditFile, recordAudit } from '@carryall/site'
import { command } from './command.ts'

let stateDir: string
const heads: string[] = []
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'carryall-audit-'))
  heads.length = 0
  for (const outcome of ['done', 'failed', 'done'] as const) {
    heads.push(
      await recordAudit(
        stateDir,
        {
          tool: { name: 'seq-push', version: '1' },
          user: { uid: 0, name: 'root', login: 'alice' },
          action: 'push',
          target: 'docker://registry.example',
          outcome,
          overrides: outcome === 'failed' ? ['allow-expired'] : [],
        },
        { now: () => new Date('2026-01-01T00:00:00Z') },
      ),
    )
  }
  return () => rm(stateDir, { recursive: true })
})

const audit = (...argv: readonly string[]): Promise<Ran> =>
  runInProcess(command, ['audit', '--state-dir', stateDir, ...argv], { cwd: stateDir })

test('reads the log of the state directory, or the one that is named', async () => {
  for (const argv of [[], ['audit.ndjson'], [auditFile(stateDir)]]) {
    const ran = await audit(...argv)
    expect(ran.exit, ran.stderr).toBe(0)
    expect(ran.documents).toMatchObject([
      {
        kind: 'AuditReport',
        log: auditFile(stateDir),
        entries: 3,
        intact: true,
        head: heads[2],
        users: [{ name: 'alice as root', entries: 3 }],
        overrides: [{ line: 2, flags: ['allow-expired'] }],
        result: { ok: true, changed: false },
      },
    ])
  }
  const { stdout } = await audit('-o', 'table')
  expect(stdout).toMatch(/^user +alice as root +3$/m)
  expect(stdout).toContain('alice as root: push with --allow-expired')
})

test('finds the head that is expected, by digest or by receipt', async () => {
  const receipt = {
    apiVersion: 'carryall/v1',
    kind: 'Receipt',
    site: 'plant-a',
    holds: 'registry',
    chains: [],
    audit_head: heads[1],
    time: '2026-01-01T00:00:00Z',
    tool: { name: 'seq-push', version: '1' },
  }
  await writeFile(join(stateDir, 'receipt.json'), JSON.stringify(receipt))
  for (const given of [heads[0]!, 'receipt.json']) {
    const ran = await audit('--expect-head', given)
    expect(ran.exit, ran.stderr).toBe(0)
    expect(ran.documents).toMatchObject([{ expected_head: 'found' }])
  }
  // Back to what it was before the receipt was written.
  const lines = (await readFile(auditFile(stateDir), 'utf8')).split(/(?<=\n)/)
  await writeFile(auditFile(stateDir), lines[0]!)
  const ran = await audit('--expect-head', 'receipt.json')
  expect(ran.exit).toBe(82)
  expect(ran.documents).toMatchObject([{ intact: true, expected_head: 'absent', result: { ok: false } }])
  expect(ran.stderr).toContain('AUDIT_BROKEN')
  await writeFile(join(stateDir, 'receipt.json'), JSON.stringify({ ...receipt, audit_head: undefined }))
  expect((await audit('--expect-head', 'receipt.json')).exit).toBe(65)
  expect((await audit('--expect-head', 'no-such-file')).exit).toBe(66)
})

test('ends with 82 where a line was altered, and names it', async () => {
  const text = await readFile(auditFile(stateDir), 'utf8')
  await writeFile(auditFile(stateDir), text.replace('"failed"', '"done"'))
  const ran = await audit('--log-format', 'json')
  expect(ran.exit).toBe(82)
  expect(ran.documents).toMatchObject([{ intact: false, faults: [{ line: 3, code: 'AUDIT_BROKEN' }] }])
  expect(JSON.parse(ran.stderr.split('\n')[0]!)).toMatchObject({
    code: 'AUDIT_BROKEN',
    location: { line: 3 },
  })
})

test('warns of a line that was cut, and lets time that goes back pass', async () => {
  const text = await readFile(auditFile(stateDir), 'utf8')
  await writeFile(auditFile(stateDir), `${text}{"apiVersion"`)
  const ran = await audit()
  expect(ran.exit).toBe(0)
  expect(ran.documents).toMatchObject([{ entries: 3, intact: true, cut_bytes: 13 }])
  expect(ran.stderr).toContain('13 bytes')
})

test('ends with 66 where there is no log', async () => {
  await rm(auditFile(stateDir))
  expect((await audit()).exit).toBe(66)
})
