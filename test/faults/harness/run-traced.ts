import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Call, parseCalls, WRITE_CALLS } from './calls.ts'
import { type Ending, type Running, start } from './start.ts'

const GATE = fileURLToPath(new URL('./gate.cjs', import.meta.url))
const LIMIT_MS = 60_000

export type Environment = Readonly<Record<string, string>>

export interface TracedRun extends Ending {
  readonly calls: readonly Call[]
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a Node program (`argv`: a Node binary with its arguments, or a script that Node runs) with one pool thread, and
 * traces the calls of that thread: every asynchronous file operation of the program. Functions that end in Sync and
 * programs that it starts are not traced. `inject` is the value of an `inject=` expression of strace. What runs longer
 * than a minute is killed, and that is an error.
 */
export async function runTraced(
  argv: readonly string[],
  env: Environment = {},
  inject?: string,
): Promise<TracedRun> {
  const directory = await mkdtemp(join(tmpdir(), 'trace-'))
  const gated = {
    UV_THREADPOOL_SIZE: '1',
    NODE_OPTIONS: `--require=${JSON.stringify(GATE)}`,
    FAULTS_GATE: directory,
  }
  const program = start(argv, { ...process.env, ...env, ...gated })
  const limit = new AbortController()
  const timer = setTimeout(
    () => limit.abort(new Error(`${argv.join(' ')} ran longer than a minute`)),
    LIMIT_MS,
  )
  limit.signal.addEventListener('abort', () => void program.kill())
  try {
    const thread = await poolThread(program, join(directory, 'thread'))
    const log = join(directory, 'log')
    const filter = [
      '-e',
      `trace=${WRITE_CALLS.join()}`,
      ...(inject === undefined ? [] : ['-e', `inject=${inject}`]),
    ]
    const tracer = start(['strace', '-y', '-X', 'raw', '-s', '0', '-o', log, ...filter, '-p', thread])
    await until(() => tracer.stderr().includes('attached'), tracer)
    await writeFile(join(directory, 'go'), '')
    const ending = await program.exit
    await tracer.exit
    limit.signal.throwIfAborted()
    const calls = parseCalls(await readFile(log, 'utf8'))
    return { ...ending, calls, stdout: program.stdout(), stderr: program.stderr() }
  } finally {
    clearTimeout(timer)
    // A tracer ends with the thread that it traces.
    await program.kill().catch(() => undefined)
    await rm(directory, { recursive: true })
  }
}

async function poolThread(program: Running, file: string): Promise<string> {
  let threads = ''
  await until(async () => (threads = await readFile(file, 'utf8').catch(() => '')) !== '', program)
  if (!/^\d+$/.test(threads)) throw new Error(`One pool thread was expected, found: ${threads || 'none'}`)
  return threads
}

async function until(done: () => boolean | Promise<boolean>, program: Running): Promise<void> {
  while (!(await done())) {
    if (program.ended()) throw new Error(`The program ended before it could be traced: ${program.stderr()}`)
    await wait(2)
  }
}
