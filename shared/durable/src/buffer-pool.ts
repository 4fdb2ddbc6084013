/** Bytes of a buffer of the pool, and so of a chunk. */
export const CHUNK_BYTES = 1024 * 1024

/**
 * A fixed number of buffers of 1 MiB, made when first needed. Who takes one gives it back, and to be free of deadlock
 * never waits for a second one while holding a first: `takeFree` is for that.
 */
export class BufferPool {
  readonly #capacity: number
  readonly #free: Buffer[] = []
  readonly #out = new Set<Buffer>()
  readonly #waiting: ((buffer: Buffer) => void)[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** A buffer, as soon as one is free; first come, first served. Its content is whatever was in it. */
  take(): Promise<Buffer> {
    const buffer = this.takeFree()
    return buffer === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(buffer)
  }

  /** A buffer, if one is free now. */
  takeFree(): Buffer | undefined {
    const buffer =
      this.#free.pop() ?? (this.#out.size < this.#capacity ? Buffer.allocUnsafeSlow(CHUNK_BYTES) : undefined)
    if (buffer !== undefined) this.#out.add(buffer)
    return buffer
  }

  /** Takes a buffer back: the one that was taken, not a part of it. */
  give(buffer: Buffer): void {
    if (!this.#out.has(buffer)) throw new Error('A buffer was given back that was not taken')
    const next = this.#waiting.shift()
    if (next !== undefined) return next(buffer)
    this.#out.delete(buffer)
    this.#free.push(buffer)
  }
}

/** The pool of this process (of each thread: threads share no buffers), 32 MiB at most. */
export const bufferPool = new BufferPool(32)
