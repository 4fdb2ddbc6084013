import { createHash, hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'

const NEWLINE = 0x0a
/** No entry comes near it. */
const MAX_LINE = 1024 * 1024

/** A line of a file, with the digest of its bytes, its newline among them. */
export interface Line {
  /** Without its newline; undefined where it is longer than 1 MiB, or cut. */
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
  let begun: Begun | undefined
  for await (const chunk of readChunks(handle, 0, size, options)) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end + 1)
      yield begun === undefined ? lineOf(piece) : begun.add(piece).end(true)
      begun = undefined
      start = end + 1
    }
    if (start < chunk.length) begun = (begun ?? new Begun()).add(chunk.subarray(start))
  }
  if (begun !== undefined) yield begun.end(false)
}

/** Nearly every line: all of it in one chunk. */
function lineOf(bytes: Buffer): Line {
  const text = bytes.toString('utf8', 0, bytes.length - 1)
  return { text, digest: `sha256:${hash('sha256', bytes)}`, size: bytes.length, whole: true }
}

/** A line of which a part was in the chunk before. */
class Begun {
  readonly #hash = createHash('sha256')
  #pieces: Buffer[] = []
  #size = 0

  add(bytes: Buffer): this {
    this.#hash.update(bytes)
    this.#size += bytes.length
    // The chunk's buffer is used again.
    if (this.#size <= MAX_LINE) this.#pieces.push(Buffer.from(bytes))
    else this.#pieces = []
    return this
  }

  end(whole: boolean): Line {
    const text =
      whole && this.#size <= MAX_LINE ? Buffer.concat(this.#pieces).toString('utf8').slice(0, -1) : undefined
    return { text, digest: `sha256:${this.#hash.digest('hex')}`, size: this.#size, whole }
  }
}
