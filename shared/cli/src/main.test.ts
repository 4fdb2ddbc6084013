import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const bin = join(import.meta.dirname, 'testing/probe-bin.ts')
const quoted = `'${process.execPath}' '${bin}'`

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'main-'))
})
afterEach(() => rm(dir, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

async function end(child: ChildProcess): Promise<Ended> {
  const [out, err]: Buffer[][] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => out!.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => err!.push(chunk))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout: Buffer.concat(out!).toString(), stderr: Buffer.concat(err!).toString() }
}

const env = { PATH: process.env['PATH'], HOME: '/nonexistent' }
const start = (...argv: string[]) =>
  spawn(process.execPath, [bin, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env })
const bash = (script: string) =>
  end(spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'], env }))

test('a document of 5 MB arrives whole through a pipe, also if the reader is slow', async () => {
  const { stdout } = await bash(`${quoted} act big | (sleep 0.5; wc -c)`)
  expect(Number(stdout)).toBeGreaterThan(5_000_000)
})

test('a reader that has gone: 141, nothing on stderr, and the work is finished', async () => {
  const mark = join(dir, 'mark')
  const { stdout, stderr } = await bash(
    `${quoted} act work --mark '${mark}' --result '${dir}/all.ndjson' | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`,
  )
  expect({ stdout, stderr }).toEqual({ stdout: '141\n', stderr: '' })
  expect(await readFile(mark, 'utf8')).toBe('done')
  expect((await readFile(join(dir, 'all.ndjson'), 'utf8')).trimEnd().split('\n')).toHaveLength(50)
})

test('a failure is not hidden by a reader that has gone', async () => {
  const { stdout } = await bash(
    `(sleep 0.3; ${quoted} act mismatch 2>/dev/null; echo $? >&2) 2>'${dir}/exit' | true; cat '${dir}/exit'`,
  )
  expect(stdout).toBe('82\n')
})

test('a full disk under stdout is 74', async () => {
  const { stdout, stderr } = await bash(`${quoted} act partial >/dev/full; echo $?`)
  expect(stdout).toBe('74\n')
  expect(stderr.match(/error IO_NO_SPACE/g)).toHaveLength(1)
})

test.each(['uncaught', 'rejected', 'never'])('%s ends with 70 and without document', async (how) => {
  const { code, stdout, stderr } = await end(start('act', how))
  expect({ code, stdout }).toEqual({ code: 70, stdout: '' })
  expect(stderr).toContain('error INTERNAL')
  expect(stderr).not.toContain('secret')
})

test('a signal ends a pipeline with 130 and a Failure; the second one ends at once, by itself', async () => {
  const first = start('act', 'wait')
  const firstEnd = end(first)
  await once(first.stderr, 'data')
  first.kill('SIGINT')
  const { code, stdout } = await firstEnd
  expect(code).toBe(130)
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'Failure', errors: [{ code: 'INTERRUPTED' }] })

  const deaf = start('act', 'deaf')
  const deafEnd = end(deaf)
  await once(deaf.stderr, 'data')
  deaf.kill('SIGTERM')
  await once(deaf.stderr, 'data')
  deaf.kill('SIGTERM')
  expect(await deafEnd).toMatchObject({ code: null, signal: 'SIGTERM' })
})

test('a stdin that is not read keeps nothing alive', async () => {
  const child = spawn(process.execPath, [bin, 'act', 'partial'], { stdio: ['pipe', 'pipe', 'pipe'], env })
  expect(await end(child)).toMatchObject({ code: 1 })
})

test('--version and -h load neither zod nor js-yaml nor listr2; a verb without documents does not either', async () => {
  const source = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) { if (/^(zod|js-yaml|listr2)/.test(name)) console.error('LOADED ' + name); return next(name, context) } })`
  const hook = `data:text/javascript,${encodeURIComponent(source)}`
  const loaded = async (...argv: string[]) => {
    const child = spawn(process.execPath, ['--import', hook, bin, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    })
    return (await end(child)).stderr.match(/LOADED \S+/g)
  }
  expect(await loaded('--version')).toBeNull()
  expect(await loaded('echo', '-h')).toBeNull()
  expect(await loaded('echo', 'word')).toBeNull()
  expect(await loaded('--schema=Settings')).not.toBeNull()
})

test('on a terminal listr2 leaves stdout to the document, also if only stderr is one', async () => {
  const out = join(dir, 'out.json')
  const { stdout: terminal } = await end(
    spawn('script', ['-qec', `${quoted} act progress > '${out}'`, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, TERM: 'xterm' },
    }),
  )
  expect(terminal).toContain('Fetching: 3/3')
  expect(terminal).toContain('a warning meanwhile')
  expect(await readFile(out, 'utf8')).toBe(
    '{"apiVersion":"carryall/v1","kind":"Probe","result":{"ok":true,"changed":false}}\n',
  )
})
