import { spawn } from 'node:child_process'

export interface Ending {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that runs, and what it has written until now. */
export interface Running {
  stdout(): string
  stderr(): string
  ended(): boolean
  /** Fulfilled when it has ended and all its output is here; rejected if it could not be started. */
  readonly exit: Promise<Ending>
  /** SIGKILL if absent; waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<Ending>
}

/** Starts a program without a shell, with nothing to read. */
export function start(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(argv[0]!, argv.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text))
  }
  let ended = false
  const exit = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  }).finally(() => (ended = true))
  // Who is interested awaits it; until then a failure is not an unhandled one.
  exit.catch(() => undefined)
  return {
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended: () => ended,
    exit,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal)
      return exit
    },
  }
}

/** Runs a program to its end and returns what it wrote on stdout; another exit than 0 is an error with its stderr. */
export async function output(...argv: string[]): Promise<string> {
  const program = start(argv)
  const { exitCode, signal } = await program.exit
  if (exitCode === 0) return program.stdout()
  throw new Error(`${argv.join(' ')} ended with ${exitCode ?? signal}: ${program.stderr()}`)
}
