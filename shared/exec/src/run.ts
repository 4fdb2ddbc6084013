import { childOptions, extraFds, type ProgramOptions } from './child-options.ts'
import { failure } from './failure.ts'
import { findProgram } from './find-program.ts'
import { Tail } from './tail.ts'

const DEFAULT_TIMEOUT_MS = 60_000
const DEFAULT_MAX_BYTES = 1024 * 1024
/** The longest time that a timer takes. */
const FOREVER_MS = 2 ** 31 - 1

export interface RunOptions extends ProgramOptions {
  /** What the program reads; nothing if absent. */
  readonly stdin?: Buffer | string
  /** Milliseconds until the program and its children are ended; 60 000 if absent. */
  readonly timeoutMs?: number
  /** Bytes of stdout that are accepted, and of the end of stderr that are kept; 1 MiB if absent. */
  readonly maxBytes?: number
}

export interface RunResult {
  readonly stdout: Buffer
  /** The last `maxBytes` of it. */
  readonly stderr: string
  readonly exitCode: number
}

/**
 * Runs a program to its end: no shell, an absolute path, a clean environment, a time limit, bounded output. Operands that
 * are data belong behind `--`, and secrets never in `args`. When it is stopped, its process group is ended with it.
 *
 * Throws EXEC_NOT_FOUND, EXEC_TIMEOUT, EXEC_FAILED (another exit than `okExits`, a signal, more than `maxBytes` on stdout;
 * `actual` is the exit code or the signal, the cause holds the last 4 KiB of stderr, escaped), OS_LIMIT where no process can
 * be made, and the signal's reason if that was aborted.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted()
  const { execa } = await import('execa')
  const path = await findProgram(program, options.package)
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const child = execa(path, args, {
    ...childOptions(options),
    // Only the pipes that are used: a program must not find a terminal where it can ask.
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...extraFds(options)],
    ...(options.stdin === undefined ? {} : { input: options.stdin }),
    // A flood of messages is no failure, so stderr is not execa's to limit.
    buffer: { stderr: false },
    maxBuffer: maxBytes,
    timeout: Math.min(Math.ceil(timeoutMs), FOREVER_MS),
  })
  const stderr = new Tail(maxBytes)
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk))
  const result = await child
  if (result.isCanceled) throw options.signal?.reason
  const text = stderr.text()
  if (
    result.exitCode !== undefined &&
    !result.isMaxBuffer &&
    !result.timedOut &&
    (options.okExits ?? [0]).includes(result.exitCode)
  ) {
    return { stdout: Buffer.from(result.stdout), stderr: text, exitCode: result.exitCode }
  }
  throw failure(program, result, { stderr: text, timeoutMs, maxBytes })
}
