import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SignalName } from './host.ts'
import { runInProcess } from './testing/index.ts'
import { probe } from './testing/probe.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'run-'))
})
afterEach(() => rm(dir, { recursive: true }))

const settings = { apiVersion: 'carryall/v1', kind: 'Settings', common: { wait: 1 } }

describe('documents that come in', () => {
  const show = (stdin?: string, ...operands: string[]) =>
    runInProcess(probe, ['show', ...operands], { ...(stdin === undefined ? {} : { stdin }), cwd: dir })

  test('from a pipe: JSON, NDJSON, YAML', async () => {
    const line = JSON.stringify(settings)
    expect((await show(line)).documents).toEqual([{ ...settings, origin: '<stdin>', upstream: null }])
    expect((await show(`${line}\n${line}\n`)).documents).toHaveLength(2)
    expect(
      (
        await show(
          'apiVersion: carryall/v1\nkind: Settings\n---\napiVersion: carryall/v1\nkind: Settings\n',
          '-',
        )
      ).documents,
    ).toHaveLength(2)
  })

  test('the result is split off and tells the directory', async () => {
    const result = { ok: true, changed: false, directory: 'content/seq1' }
    const { documents } = await show(JSON.stringify({ ...settings, result }))
    expect(documents).toEqual([
      { ...settings, origin: '<stdin>', directory: join(dir, 'content/seq1'), upstream: result },
    ])
  })

  test('from a file, relative to the working directory', async () => {
    await writeFile(join(dir, 'a.json'), JSON.stringify(settings))
    expect((await show(undefined, 'a.json')).documents).toEqual([
      { ...settings, origin: 'a.json', directory: dir, upstream: null },
    ])
  })

  test.each([
    ['', 66, 'INPUT_EMPTY'],
    ['{"apiVersion":"carryall/v1","kind":"Sett', 65, 'INPUT_SYNTAX'],
    ['{"apiVersion":"carryall/v1","kind":"Receipt"}', 65, 'SCHEMA_UNKNOWN_KIND'],
    [JSON.stringify({ ...settings, extra: 1 }), 65, 'SCHEMA_UNKNOWN_KEY'],
    [JSON.stringify({ ...settings, result: { ok: false, changed: false, exit: 82 } }), 66, 'INPUT_REFUSED'],
    [JSON.stringify({ ...settings, result: 'fine' }), 65, 'SCHEMA_INVALID'],
  ])('refused: %j', async (stdin, exit, code) => {
    const ran = await show(stdin)
    expect(ran).toMatchObject({
      exit,
      documents: [
        {
          kind: 'Failure',
          tool: 'probe',
          errors: [{ code, exit }],
          result: { ok: false, changed: false, exit },
        },
      ],
    })
  })

  test('the failure of an upstream is passed on by name', async () => {
    const upstream = await runInProcess(probe, ['act', 'mismatch'])
    const ran = await show(upstream.stdout)
    expect(ran.exit).toBe(66)
    expect(ran.stderr).toContain('DIGEST_MISMATCH')
  })

  test('a missing file is 66, a directory too', async () => {
    expect(await show(undefined, 'none.json')).toMatchObject({ exit: 66 })
    expect(await show(undefined, '.')).toMatchObject({ exit: 66 })
  })

  test('without operand and without a pipe: usage on stderr, 64, no document', async () => {
    for (const stdinKind of ['terminal', 'none'] as const) {
      const ran = await runInProcess(probe, ['show'], { stdinKind })
      expect(ran).toMatchObject({ exit: 64, stdout: '' })
      expect(ran.stderr).toContain('usage: probe show')
    }
    expect(await show(JSON.stringify(settings), '-', '-')).toMatchObject({ exit: 64 })
  })

  test('says that it waits, after two seconds', async () => {
    const stdin = new PassThrough()
    setTimeout(() => stdin.end(JSON.stringify(settings)), 2300)
    const ran = await runInProcess(probe, ['show'], { stdin })
    expect(ran).toMatchObject({ exit: 0, stderr: 'probe: Waiting for stdin\n' })
  })

  test('a signal ends the wait', async () => {
    const ran = await runInProcess(probe, ['show'], {
      stdin: new PassThrough(),
      signals: (send) => setTimeout(send, 50, 'SIGTERM'),
    })
    expect(ran).toMatchObject({
      exit: 143,
      documents: [{ kind: 'Failure', errors: [{ code: 'TERMINATED', retryable: true }] }],
    })
  })
})

describe('documents that go out', () => {
  test('one line each, result last; the same bytes each time', async () => {
    const ran = await runInProcess(probe, ['act', 'partial', '-q'])
    expect(ran.stdout).toBe(
      '{"apiVersion":"carryall/v1","kind":"Probe","result":{"ok":true,"changed":false}}\n',
    )
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toContain('error ITEMS_FAILED')
  })

  test('YAML, several as a stream of documents', async () => {
    const line = JSON.stringify(settings)
    const ran = await runInProcess(probe, ['show', '-o', 'yaml'], { stdin: `${line}\n${line}\n` })
    expect(ran.stdout.split('---\n')).toHaveLength(2)
    const again = await runInProcess(probe, ['act', 'partial', '--output=yaml'])
    expect(again.stdout).toBe('apiVersion: carryall/v1\nkind: Probe\nresult:\n  ok: true\n  changed: false\n')
  })

  test('a table on a terminal, safe against control characters; no Failure in it', async () => {
    const ran = await runInProcess(probe, ['echo', '-d', 'a\u001b[2Jb'], { stdoutIsTerminal: true })
    expect(ran.stdout).toMatch(/^description +a\\u\{1b\}\[2Jb$/m)
    expect(await runInProcess(probe, ['act', 'mismatch'], { stdoutIsTerminal: true })).toMatchObject({
      exit: 82,
      stdout: '',
    })
  })

  test('JSON on a terminal is indented, in a pipe it is not', async () => {
    const ran = await runInProcess(probe, ['act', 'partial', '-o', 'json'], { stdoutIsTerminal: true })
    expect(ran.stdout.split('\n').length).toBeGreaterThan(5)
    expect(
      (await runInProcess(probe, ['act', 'partial', '-o', 'ndjson'], { stdoutIsTerminal: true })).documents,
    ).toHaveLength(1)
  })

  test('with --stdout the document goes to the result file alone', async () => {
    const file = join(dir, 'result.json')
    const ran = await runInProcess(probe, ['act', 'payload', '--stdout', '--result', file])
    expect(ran).toMatchObject({ exit: 0, stdout: 'payload' })
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ kind: 'Probe', result: { ok: true } })
  })
})

describe('--result', () => {
  test('holds the same document, replaced in one step, also after a failure; nothing else is left', async () => {
    const file = join(dir, 'result.json')
    const done = await runInProcess(probe, ['act', 'partial', '--result', 'result.json'], { cwd: dir })
    expect(await readFile(file, 'utf8')).toBe(done.stdout)
    const failed = await runInProcess(probe, ['act', 'mismatch', '--result', file])
    expect(await readFile(file, 'utf8')).toBe(failed.stdout)
    expect((await stat(file)).mode & 0o777).toBe(0o644)
    expect(await readdir(dir)).toEqual(['result.json'])
  })

  test('is left as it was by a bug', async () => {
    const file = join(dir, 'result.json')
    await writeFile(file, 'before')
    expect(await runInProcess(probe, ['act', 'bug', '--result', file])).toMatchObject({
      exit: 70,
      stdout: '',
    })
    expect(await readFile(file, 'utf8')).toBe('before')
    expect(await readdir(dir)).toEqual(['result.json'])
  })

  test('is refused before the work where it cannot be written', async () => {
    const mark = join(dir, 'mark')
    for (const result of [join(dir, 'none/result.json'), dir]) {
      const ran = await runInProcess(probe, ['act', 'work', '--mark', mark, '--result', result])
      expect(ran).toMatchObject({
        exit: 73,
        documents: [{ kind: 'Failure', errors: [{ code: 'OUTPUT_NOT_WRITABLE' }] }],
      })
    }
    expect(await readdir(dir)).toEqual([])
  })

  test('a device stays a device', async () => {
    expect(await runInProcess(probe, ['act', 'partial', '--result', '/dev/null'])).toMatchObject({ exit: 1 })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })
})

describe('errors on stderr', () => {
  test('as text: code, place, hint, control characters escaped', async () => {
    const { stderr } = await runInProcess(probe, ['act', 'mismatch'])
    expect(stderr).toBe(
      'probe: error DIGEST_MISMATCH: Digest of "a\\u{1b}[2J" differs\n  at: x.yaml:3 #/files/0\n  hint: Fetch it again\n',
    )
  })

  test('as JSON: one object a line, also before the flags are known to be good', async () => {
    const lines = async (...argv: string[]) =>
      (await runInProcess(probe, argv)).stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object)
    expect(await lines('act', 'mismatch', '--log-format', 'json')).toMatchObject([
      {
        v: 1,
        tool: 'probe',
        level: 'error',
        code: 'DIGEST_MISMATCH',
        exit: 82,
        pointer: '#/files/0',
        location: { file: 'x.yaml', line: 3 },
        retryable: false,
      },
    ])
    expect(await lines('ecko', '--log-format=json')).toMatchObject([
      { code: 'USAGE_UNKNOWN_COMMAND', exit: 64 },
    ])
    expect(await lines('act', '--log-format=json', '--', 'a', 'b')).toMatchObject([
      { code: 'USAGE_EXTRA_OPERAND', exit: 64 },
    ])
    expect(await lines('act', '--log-format=json')).toMatchObject([
      { code: 'USAGE_MISSING_OPERAND', exit: 64 },
    ])
  })

  test('a bug is 70, without document, with its stack if one asks', async () => {
    expect(await runInProcess(probe, ['act', 'bug'])).toMatchObject({ exit: 70, stdout: '' })
    expect((await runInProcess(probe, ['act', 'bug', '-v'])).stderr).toContain('probe.ts')
  })

  test('-q leaves warnings, -v adds nothing to stdout', async () => {
    expect((await runInProcess(probe, ['act', 'progress', '-q'])).stderr).toBe(
      'probe: warning: a warning meanwhile\n',
    )
    expect((await runInProcess(probe, ['act', 'partial', '-v'])).documents).toHaveLength(1)
  })
})

describe('what is asked of the tool itself', () => {
  test('--version, as text and as JSON', async () => {
    expect(await runInProcess(probe, ['--version'])).toMatchObject({
      exit: 0,
      stdout: 'probe 1.2.3\n',
      stderr: '',
    })
    expect((await runInProcess(probe, ['--version', '-o', 'json'])).documents).toMatchObject([
      { name: 'probe', version: '1.2.3' },
    ])
    expect(
      await runInProcess(probe, ['--version'], { env: { CARRYALL_OUTPUT: 'json', CARRYALL_VERSION: '9' } }),
    ).toMatchObject({ stdout: 'probe 1.2.3\n' })
  })

  test('-h on stdout with 0, of the tool and of a verb', async () => {
    const tool = await runInProcess(probe, ['-h'])
    expect(tool).toMatchObject({ exit: 0, stderr: '' })
    const verb = await runInProcess(probe, ['echo', '--help', 'word'])
    expect(verb).toMatchObject({ exit: 0 })
    for (const part of [
      '-d, --description TEXT',
      '--dry-run',
      'may be repeated',
      'command line only',
      'default: full',
      'probe echo --description 1.10 -',
    ]) {
      expect(verb.stdout).toContain(part)
    }
  })

  test('--schema prints the JSON Schema of a kind, or the kinds', async () => {
    for (const argv of [['--schema', 'Settings'], ['--schema=Settings']]) {
      const ran = await runInProcess(probe, argv)
      expect(ran.exit).toBe(0)
      expect(JSON.parse(ran.stdout)).toMatchObject({ title: 'Settings', type: 'object' })
    }
    expect((await runInProcess(probe, ['--schema'])).stdout).toBe('Settings\nFailure\n')
    expect(await runInProcess(probe, ['--schema=Sequence'])).toMatchObject({ exit: 64, stdout: '' })
  })

  test('no command and an unknown one are 64, never 0', async () => {
    expect(await runInProcess(probe, [])).toMatchObject({ exit: 64, stdout: '' })
    expect(await runInProcess(probe, ['ecko'])).toMatchObject({ exit: 64, stdout: '' })
  })
})

describe('signals', () => {
  test.each([
    ['SIGINT', 130, 'INTERRUPTED'],
    ['SIGTERM', 143, 'TERMINATED'],
    ['SIGHUP', 129, 'HUNG_UP'],
  ] as const)('%s ends with %d', async (signal, exit, code) => {
    const ran = await runInProcess(probe, ['act', 'wait'], {
      signals: (send) => setTimeout(send, 50, signal),
    })
    expect(ran).toMatchObject({
      exit,
      endedBy: undefined,
      documents: [{ kind: 'Failure', errors: [{ code }], result: { exit } }],
    })
  })

  test('the second one ends the process at once', async () => {
    const ran = await runInProcess(probe, ['act', 'wait'], {
      signals: (send) =>
        setTimeout(() => ['SIGINT', 'SIGTERM'].forEach((signal) => send(signal as SignalName)), 50),
    })
    expect(ran.endedBy).toBe('SIGTERM')
  })
})
