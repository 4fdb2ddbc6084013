import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Call, parseCalls, WRITE_CALLS } from './calls.ts'

const GATE = fileURLToPath(new URL('./gate.cjs', import.meta.url))
const LIMIT_MS = 60_000

export type Environment = Readonly<Record<string, string>>

export interface TracedRun {
  readonly calls: readonly Call[]
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a Node program (`argv` is a Node binary with its arguments, or a script that starts one) with one pool thread, and
 * traces the calls of that thread: every asynchronous file operation of the program. Functions that end in Sync and
 * programs that it starts are not traced. `inject` is the value of an `inject=` expression of strace. What runs longer
 * than a minute is killed and an error.
 */
export async function runTraced(
  argv: readonly string[],
  options: { readonly env?: Environment; readonly inject?: string } = {},
): Promise<TracedRun> {
  const directory = await mkdtemp(join(tmpdir(), 'trace-'))
  const running: ChildProcess[] = []
  const limit = setTimeout(() => running.forEach((child) => child.kill('SIGKILL')), LIMIT_MS)
  try {
    const program = start(argv, {
      ...process.env,
      ...options.env,
      UV_THREADPOOL_SIZE: '1',
      NODE_OPTIONS: `--require=${JSON.stringify(GATE)}`,
      FAULTS_GATE: directory,
    })
    running.push(program.child)
    const thread = await threadOf(program, join(directory, 'thread'))
    const log = join(directory, 'log')
    const filter = ['-e', `trace=${WRITE_CALLS.join()}`, ...(options.inject ? ['-e', `inject=${options.inject}`] : [])]
    const tracer = start(['strace', '-y', '-X', 'raw', '-s', '0', '-o', log, ...filter, '-p', thread], process.env)
    running.push(tracer.child)
    while (!tracer.stderr().includes('attached')) {
      if (tracer.ended()) throw new Error(`strace cannot trace: ${tracer.stderr()}`)
      await wait(1)
    }
    await writeFile(join(directory, 'go'), '')
    const [exitCode, signal] = await program.exit
    await tracer.exit
    if (!limit.hasRef()) throw new Error('unreachable')
    const calls = parseCalls(await readFile(log, 'utf8'))
    return { calls, exitCode, signal, stdout: program.stdout(), stderr: program.stderr() }
  } finally {
    clearTimeout(limit)
    for (const child of running) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await rm(directory, { recursive: true })
  }
}
