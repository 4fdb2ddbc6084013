import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'

const NEWLINE = 0x0a
/** No entry comes near it. */
const MAX_LINE = 1024 * 1024

/** A line of a file, with the digest of its bytes, its newline among them. */
export interface Line {
  /** Without its newline; undefined where it is longer than 1 MiB. */
  readonly text: string | undefined
  readonly digest: string
  readonly size: number
  /** False for what comes behind the last newline. */
  readonly whole: boolean
}

/** The lines of an open file, in constant memory. Throws what `readChunks` throws. */
export async function* linesOf(
  handle: FileHandle,
  options: { readonly signal?: AbortSignal },
): AsyncGenerator<Line, void, undefined> {
  const { size } = await handle.stat()
  let line = begin()
  for await (const chunk of readChunks(handle, 0, size, options)) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(line, chunk.subarray(start, end + 1))
      yield finish(line, true)
      line = begin()
      start = end + 1
    }
    if (start < chunk.length) add(line, chunk.subarray(start))
  }
  if (line.size > 0) yield finish(line, false)
}

interface Open {
  readonly hash: ReturnType<typeof createHash>
  pieces: Buffer[]
  size: number
}

function begin(): Open {
  return { hash: createHash('sha256'), pieces: [], size: 0 }
}

function add(line: Open, bytes: Buffer): void {
  line.hash.update(bytes)
  line.size += bytes.length
  // The chunk's buffer is used again.
  if (line.size <= MAX_LINE) line.pieces.push(Buffer.from(bytes))
  else line.pieces = []
}

function finish({ hash, pieces, size }: Open, whole: boolean): Line {
  const text = size > MAX_LINE ? undefined : Buffer.concat(pieces).toString('utf8')
  return {
    text: whole ? text?.slice(0, -1) : text,
    digest: `sha256:${hash.digest('hex')}`,
    size,
    whole,
  }
}
