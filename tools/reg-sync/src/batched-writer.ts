import type { FileHandle } from 'node:fs/promises'
import { writeAll } from '@carryall/durable'

const SYNC_MS = 1000

/**
 * Appends text to an open file without holding up who writes it: the kernel has it at once, all that came together while it was busy
 * in one go, and it is durable within a second. What cannot be written is kept, and tried again with what comes next.
 */
export class BatchedWriter {
  readonly #handle: FileHandle
  readonly #onFailure: (error: unknown) => void
  #position: number
  /** What the kernel does not have yet. */
  #waiting: string[] = []
  #work: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** Why what waits is not written. */
  #failure: unknown
  /** A sync that failed is not made good by the next one. */
  #lost: unknown
  #told = false

  /** Writes from `position` on. `onFailure` is told of the first failure, once. */
  constructor(handle: FileHandle, position: number, onFailure: (error: unknown) => void) {
    this.#handle = handle
    this.#position = position
    this.#onFailure = onFailure
  }

  /** Never throws. */
  add(text: string): void {
    this.#waiting.push(text)
    if (this.#waiting.length === 1 || this.#failure !== undefined) this.#queue(() => this.#write())
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#queue(() => this.#sync())
    }, SYNC_MS).unref()
  }

  /** Waits until all is durable. Throws, as the system does, what keeps it from being so. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#queue(() => this.#write())
    this.#queue(() => this.#sync())
    await this.#work
    const error = this.#failure ?? this.#lost
    if (error !== undefined) throw error as Error
  }

  /** One after the other; none of them throws. */
  #queue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work)
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const count = this.#waiting.length
      const bytes = Buffer.from(this.#waiting.join(''))
      try {
        await writeAll(this.#handle, bytes, this.#position)
      } catch (error) {
        this.#failure = error
        this.#tell(error)
        return
      }
      this.#position += bytes.length
      this.#waiting = this.#waiting.slice(count)
      this.#failure = undefined
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#handle.sync()
    } catch (error) {
      this.#lost ??= error
      this.#tell(error)
    }
  }

  #tell(error: unknown): void {
    if (this.#told) return
    this.#told = true
    this.#onFailure(error)
  }
}
