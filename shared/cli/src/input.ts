import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { CarryallError, fromSystemError } from '@carryall/errors'
import type { AnyDocument } from '@carryall/schemas'
import type { Result } from './command.ts'
import type { Host } from './host.ts'
import { refuseFailed, splitResult } from './split-result.ts'
import type { Log } from './log.ts'

const PATIENCE_MS = 2000

/** A document that came in by an operand or by stdin. */
export interface Received {
  /** Valid by the schema of its kind, where kinds were given; without the key `result`. */
  readonly document: AnyDocument
  /** What the upstream said about it, if it came from a pipe or was saved from one. */
  readonly result?: Result
  /** Path as it was given, or `<stdin>`. */
  readonly origin: string
  /** Absolute path: `directory` of the result, else the directory of the file. */
  readonly directory?: string
}

export interface ReceiveOptions {
  /** Takes documents with `result.ok: false`, too: they are what the verb is about. */
  readonly takeFailed?: boolean
}

export interface InputPorts {
  readonly host: Pick<Host, 'stdin' | 'stdinKind' | 'cwd'>
  readonly signal: AbortSignal
  readonly log: Log
}

/**
 * Documents of the given kinds, or of any, from paths and `-`, or, without operands, from a stdin that is a pipe or a file. Throws
 * USAGE_MISSING_OPERAND, INPUT_NOT_FOUND, INPUT_EMPTY (66), INPUT_REFUSED for what a failed upstream wrote (66), and what
 * `readDocuments` and `parseDocument` throw (65).
 */
export async function* receive(
  ports: InputPorts,
  operands: readonly string[],
  kinds?: readonly string[],
  { takeFailed = false }: ReceiveOptions = {},
): AsyncGenerator<Received> {
  const { host } = ports
  if (operands.length === 0 && host.stdinKind !== 'pipe' && host.stdinKind !== 'file') {
    throw new CarryallError(
      'USAGE_MISSING_OPERAND',
      `No document given: a path, "-", or a pipe with ${kinds?.join(' or ') ?? 'documents'} is wanted`,
    )
  }
  if (operands.filter((operand) => operand === '-').length > 1) {
    throw new CarryallError('USAGE_CONFLICT', 'Stdin ("-") is given twice; it can be read once')
  }
  const { parseDocument, parseHead, readDocuments } = await import('@carryall/schemas')
  for (const operand of operands.length === 0 ? ['-'] : operands) {
    const origin = operand === '-' ? '<stdin>' : operand
    const bytes = operand === '-' ? await readStdin(ports) : await readDocumentFile(ports, operand)
    const values = readDocuments(bytes, origin)
    for (const [index, value] of values.entries()) {
      const place = values.length === 1 ? origin : `${origin} (document ${index + 1})`
      refuseFailed(value, place, takeFailed)
      const { rest, result } = splitResult(value, place)
      const document = kinds === undefined ? parseHead(rest, place) : parseDocument(rest, place, kinds)
      const directory = directoryOf(host.cwd, operand, result)
      yield { document, ...(result && { result }), origin, ...(directory === undefined ? {} : { directory }) }
    }
  }
}

function directoryOf(cwd: string, operand: string, result: Result | undefined): string | undefined {
  const named = result?.['directory']
  if (typeof named === 'string') return resolve(cwd, named)
  return operand === '-' ? undefined : dirname(resolve(cwd, operand))
}

async function readDocumentFile({ host, signal }: InputPorts, path: string): Promise<Buffer> {
  try {
    return await readFile(resolve(host.cwd, path), { signal })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw fromSystemError(error, `read ${path}`, {
      subject: { kind: 'file', name: path },
      hint: 'Name a document that can be read, or "-" for stdin',
    })
  }
}

async function readStdin({ host, signal, log }: InputPorts): Promise<Buffer> {
  const stdin: Readable = host.stdin
  const chunks: Buffer[] = []
  const patience = setTimeout(() => log.info('Waiting for stdin'), PATIENCE_MS)
  const stop = (): void => void stdin.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
      clearTimeout(patience)
      chunks.push(Buffer.from(chunk as Buffer))
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw fromSystemError(error, 'read stdin')
  } finally {
    clearTimeout(patience)
    signal.removeEventListener('abort', stop)
  }
  if (signal.aborted) throw signal.reason
  return Buffer.concat(chunks)
}
