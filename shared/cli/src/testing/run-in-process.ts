import { PassThrough, Readable, Writable } from 'node:stream'
import type { ExitCode } from '@carryall/errors'
import type { Command } from '../command.ts'
import type { Host, SignalName, Terminal } from '../host.ts'
import { run } from '../run.ts'

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Text or bytes that arrive by a pipe; without it nobody writes to stdin. */
  readonly stdin?: string | Buffer | Readable
  readonly stdinKind?: Host['stdinKind']
  readonly stdoutIsTerminal?: boolean
  readonly stderrIsTerminal?: boolean
  /** The terminal that questions are asked at; none if absent. */
  readonly terminal?: () => Terminal
  readonly etc?: string
  readonly uid?: number
  /** Called with what sends a signal to the tool while it runs. */
  readonly signals?: (send: (signal: SignalName) => void) => void
  readonly now?: () => Date
}

export interface Ran {
  readonly exit: ExitCode
  readonly stdout: string
  readonly stderr: string
  /** Stdout as NDJSON; throws where it is not. */
  readonly documents: readonly Record<string, unknown>[]
  /** Signal by which the tool would have ended the process. */
  readonly endedBy: SignalName | undefined
}

/** Runs a tool in this process with streams of its own; nothing of the real environment reaches it but HOME, which is nowhere. */
export async function runInProcess(
  command: Command,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const stdout = collect()
  const stderr = collect()
  let endedBy: SignalName | undefined
  const host: Host = {
    argv,
    env: { HOME: '/nonexistent', ...options.env },
    cwd: options.cwd ?? '/',
    stdin: toReadable(options.stdin),
    stdinKind: options.stdinKind ?? (options.stdin === undefined ? 'none' : 'pipe'),
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdoutIsTerminal: options.stdoutIsTerminal ?? false,
    stderrIsTerminal: options.stderrIsTerminal ?? false,
    openTerminal: () => options.terminal?.(),
    columns: 100,
    uid: options.uid ?? 1000,
    etc: options.etc ?? '/nonexistent',
    node: process.versions.node,
    now: options.now ?? (() => new Date()),
    ticks: () => performance.now(),
    onSignal(listener) {
      options.signals?.(listener)
      return () => {}
    },
    endBy: (signal) => {
      endedBy = signal
    },
  }
  const exit = await run(command, host)
  return {
    exit,
    stdout: stdout.text(),
    stderr: stderr.text(),
    endedBy,
    get documents() {
      return parseLines(stdout.text())
    },
  }
}

function toReadable(stdin: RunOptions['stdin']): Readable {
  if (stdin instanceof Readable) return stdin
  const stream = new PassThrough()
  stream.end(stdin ?? '')
  return stream
}

function collect(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // A writer may use its buffer again once it is told that this is done.
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
