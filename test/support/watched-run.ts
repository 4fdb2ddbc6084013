import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A program that was started: its arguments and its environment, as strace prints them. */
export interface Started {
  readonly argv: string
  readonly environment: string
}

export interface Watched {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
  /** What the terminal has shown. */
  readonly shown: string
  /** The program itself first, then all that it started, and those in turn. */
  readonly started: readonly Started[]
}

export interface WatchOptions {
  /** Where it runs, and where what it says is kept. */
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** A file. */
  readonly stdin?: string
  /** Typed when a password is asked for. */
  readonly typed?: string
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Runs a program on a terminal of its own, and under strace, which notes every program that is started. */
export async function watchedRun(argv: readonly string[], options: WatchOptions): Promise<Watched> {
  const { directory, env, stdin = '/dev/null', typed } = options
  const [out, err, trace] = ['stdout', 'stderr', 'trace'].map((name) => join(directory, name))
  const strace = [
    'strace',
    '-f',
    '-v',
    '-qq',
    '-s',
    '65536',
    '-e',
    'trace=execve',
    '-e',
    'signal=none',
    '-o',
    trace!,
  ]
  const line = [...strace, '--', ...argv].map(quoted).join(' ')
  const command = `exec ${line} <${quoted(stdin)} >${quoted(out!)} 2>${quoted(err!)}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  let asked = false
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    if (typed === undefined || asked || !shown.includes('Password')) return
    asked = true
    child.stdin.write(`${typed}\r`)
  })
  const [exit] = (await once(child, 'close')) as [number | null]
  const [stdout, stderr, traced] = await Promise.all([out, err, trace].map((file) => readFile(file!, 'utf8')))
  return { exit, stdout: stdout!, stderr: stderr!, shown, started: parse(traced!) }
}

function parse(trace: string): readonly Started[] {
  return trace.split('\n').flatMap((text) => {
    const [, argv, environment] = /execve\("[^"]*", (\[.*?\]), (\[.*)/.exec(text) ?? []
    return argv === undefined || environment === undefined ? [] : [{ argv, environment }]
  })
}
