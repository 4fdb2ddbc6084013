import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const bin = join(import.meta.dirname, 'testing/probe-bin.ts')
const ask = `'${process.execPath}' '${bin}' act ask --result out.json >stdout 2>stderr`

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ask-'))
})
afterEach(() => rm(dir, { recursive: true }))

/** Runs a shell line on a terminal of its own, and types when it is asked; gives what the terminal showed. */
async function onTerminal(line: string, ...typed: readonly (string | Buffer)[]): Promise<string> {
  const script = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: dir,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  let asked = false
  script.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    if (asked || !shown.includes('Password:')) return
    asked = true
    for (const keys of typed) script.stdin.write(keys)
  })
  await once(script, 'close')
  return shown
}

const secretIn = async (file: string) => {
  const { secret } = JSON.parse(await readFile(join(dir, file), 'utf8')) as { secret: string }
  return Buffer.from(secret, 'hex').toString()
}

test('what is typed is taken and not shown, and nowhere else', async () => {
  const shown = await onTerminal(ask, 'canary word\r')
  expect(await secretIn('stdout')).toBe('canary word')
  expect(shown).toBe('Password: \r\n')
  expect(await readFile(join(dir, 'stderr'), 'utf8')).toContain('It is ***')
})

test('it is asked at the terminal where stdin is a pipe', async () => {
  await onTerminal(`echo piped | ${ask}`, 'typed\r')
  expect(await secretIn('stdout')).toBe('typed')
})

test.each([
  ['backspace takes back a character', 'wörx\x7fd\b\x7f\x7förd\n', 'wörd'],
  ['Ctrl-U takes back all', 'wrong\x15word\r', 'word'],
  ['Ctrl-D ends it', 'word\x04', 'word'],
  ['what a key press is not is left out', 'wo\x1brd\x00\r', 'word'],
])('%s', async (_, typed, secret) => {
  await onTerminal(ask, ...[...Buffer.from(typed)].map((byte) => Buffer.of(byte)))
  expect(await secretIn('stdout')).toBe(secret)
})

test.each([
  ['Ctrl-C', ask, '\x03', '130'],
  ['a signal', `timeout --foreground -s TERM 2 ${ask}`, 'half', '143'],
])('%s ends it and gives the terminal back', async (_, line, typed, exit) => {
  const shown = await onTerminal(`${line}; echo "exit $?"; stty -a`, typed)
  // timeout says 124 of what it has ended.
  expect(shown).toContain(`exit ${exit === '143' ? '124' : exit}`)
  expect(shown).toMatch(/\becho\b/)
  expect(shown).not.toMatch(/-echo\b|-isig\b|-icanon\b/)
  expect(await readFile(join(dir, 'stdout'), 'utf8')).toContain(exit === '130' ? 'INTERRUPTED' : 'TERMINATED')
})

test('without a terminal it is 64', async () => {
  // A session of its own has none.
  const child = spawn(process.execPath, [bin, 'act', 'ask'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { HOME: '/nonexistent' },
  })
  const [code] = (await once(child, 'close')) as [number]
  expect(code).toBe(64)
})
