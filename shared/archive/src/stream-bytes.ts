import type { Readable } from 'node:stream'

/** Longest piece that `upTo` gives. */
const PIECE = 1024 * 1024

/** The bytes of a stream on demand: no more than one of its chunks is held, and none is asked for before it is needed. */
export class StreamBytes {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)
  #waiting = false
  /** Bytes that were given. */
  position = 0

  constructor(source: Readable | AsyncIterable<Buffer>) {
    // Who stops early leaves the stream as it is: it may be somebody else's stdin.
    const chunks = isReadable(source) ? source.iterator({ destroyOnReturn: false }) : source
    this.#chunks = chunks[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /**
   * The next bytes, at most `length` of them and 1 MiB; none where the stream has ended. Valid until the next call.
   * Throws the signal's reason, also while the stream stalls.
   */
  async upTo(length: number, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted()
    while (this.#rest.length === 0) {
      const { done, value } = await this.#next(signal)
      if (done === true) return this.#rest
      // A stream that gives text would have lost bytes already.
      if (!((value as unknown) instanceof Uint8Array)) throw new TypeError('The stream gives text, not bytes')
      this.#rest = Buffer.isBuffer(value) ? value : Buffer.from(value)
    }
    const piece = this.#rest.subarray(0, Math.min(length, PIECE))
    this.#rest = this.#rest.subarray(piece.length)
    this.position += piece.length
    return piece
  }

  /** Exactly `length` bytes, fewer where the stream ends. */
  async take(length: number, signal?: AbortSignal): Promise<Buffer> {
    const first = await this.upTo(length, signal)
    if (first.length === length || first.length === 0) return first
    const pieces = [Buffer.from(first)]
    for (let missing = length - first.length; missing > 0;) {
      const piece = await this.upTo(missing, signal)
      if (piece.length === 0) break
      pieces.push(Buffer.from(piece))
      missing -= piece.length
    }
    return Buffer.concat(pieces)
  }

  /** Asks for no more. */
  async close(): Promise<void> {
    this.#rest = Buffer.alloc(0)
    const returned = this.#chunks.return?.()
    // An iterator whose stream stalls answers when bytes come, which may be never.
    if (this.#waiting) returned?.catch(() => undefined)
    else await returned
  }

  async #next(signal?: AbortSignal): Promise<IteratorResult<Buffer>> {
    const { promise, reject } = Promise.withResolvers<never>()
    const abort = () => reject(signal!.reason as Error)
    signal?.addEventListener('abort', abort, { once: true })
    this.#waiting = true
    try {
      const next = this.#chunks.next()
      const result = await (signal === undefined ? next : Promise.race([next, promise]))
      this.#waiting = false
      return result
    } catch (error) {
      if (signal?.aborted !== true) this.#waiting = false
      // Whoever wrote it was cut off: that is an end, and what is missing will show.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
      return { done: true, value: undefined }
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}

function isReadable(source: Readable | AsyncIterable<Buffer>): source is Readable {
  return 'iterator' in source && typeof source.iterator === 'function'
}
