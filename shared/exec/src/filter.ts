import type { Readable, Writable } from 'node:stream'
import { CarryallError } from '@carryall/errors'
import { childOptions, extraFds, type ProgramOptions } from './child-options.ts'
import { failure } from './failure.ts'
import { findProgram } from './find-program.ts'
import { Tail } from './tail.ts'

/** Of stderr and of a report, the end is kept. */
const KEPT_BYTES = 64 * 1024

export interface FilterOptions extends ProgramOptions {
  /**
   * Gets what the program wrote to the descriptor behind those of `inheritFds` (3 where there are none; the last 64 KiB),
   * once it has ended and before its exit is judged. What it throws is thrown.
   */
  readonly onReport?: (report: string) => void
}

/** What became of the source. */
interface Feeding {
  /** The program has taken all of it. */
  readonly taken: boolean
  /** What the source threw. */
  readonly error?: unknown
}

/**
 * Streams bytes through a program, under the rules of `run` but without a time limit. Memory is constant: the program gets
 * a chunk when it can take it, the next one is asked for when it has, and its output waits for the consumer. A chunk of
 * `source` is not used once the next one is asked for. A consumer that stops early ends the program's process group.
 *
 * What was given out counts only when the iteration has ended without an error: the program's end is judged after the last
 * byte. Throws EXEC_NOT_FOUND, EXEC_FAILED (another exit than `okExits`, a signal, or a program that ended before it had taken
 * all of the source), OS_LIMIT, what the source throws, and the signal's reason if that was aborted.
 */
export async function* filter(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  options: FilterOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  options.signal?.throwIfAborted()
  const { execa } = await import('execa')
  const path = await findProgram(program, options.package)
  const inherited = extraFds(options)
  const child = execa(path, args, {
    ...childOptions(options),
    stdio: [
      'pipe',
      'pipe',
      'pipe',
      ...inherited,
      ...(options.onReport === undefined ? [] : (['pipe'] as const)),
    ],
    buffer: false,
  })
  const stderr = keep(child.stderr)
  const report = options.onReport && keep(child.stdio[3 + inherited.length] as Readable)
  const feeding = feed(child.stdin, source, () => child.kill())
  let whole = false
  try {
    yield* output(child.stdout)
    whole = true
  } finally {
    if (!whole) {
      child.kill()
      // Nobody reads the rest, and the end is waited for only where nothing is left to read.
      child.stdout.destroy()
    }
    await Promise.all([child, feeding])
  }
  const [result, fed] = [await child, await feeding]
  if (result.isCanceled) throw options.signal?.reason
  if ('error' in fed) throw fed.error
  if (report !== undefined) options.onReport?.(report.text())
  const good = result.exitCode !== undefined && (options.okExits ?? [0]).includes(result.exitCode)
  if (!good) throw failure(program, result, { stderr: stderr.text(), timeoutMs: 0, maxBytes: 0 })
  if (!fed.taken) {
    throw new CarryallError('EXEC_FAILED', `Program "${program}" ended before it had read everything`, {
      subject: { kind: 'program', name: program },
    })
  }
}

function keep(stream: Readable): Tail {
  const tail = new Tail(KEPT_BYTES)
  stream.on('data', (chunk: Buffer) => tail.add(chunk))
  return tail
}

/** A pipe that breaks is the program's end, and is judged with it. */
async function* output(stdout: Readable): AsyncGenerator<Buffer, void, undefined> {
  const chunks = stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const next = () => chunks.next().catch(() => ({ done: true, value: undefined }) as const)
  for (let chunk = await next(); !chunk.done; chunk = await next()) yield chunk.value
}

async function feed(stdin: Writable, source: AsyncIterable<Uint8Array>, stop: () => void): Promise<Feeding> {
  try {
    for await (const chunk of source) if (!(await write(stdin, chunk))) return { taken: false }
    stdin.end()
    return { taken: true }
  } catch (error) {
    stop()
    return { taken: false, error }
  }
}

/** Fulfilled when the pipe has the bytes and their buffer is free again; false where nobody reads any more. */
function write(stdin: Writable, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => stdin.write(chunk, (error) => resolve(!error)))
}
