import type { Pace } from './pace.ts'

/** Stops the reading of a socket until what has been read has had its time. Without a pace it never does. */
export class Brake {
  readonly #pace: Pace | undefined
  readonly #go: () => void
  readonly #end = new AbortController()
  #due = 0
  #on = false

  /** `go` is called when reading may go on. */
  constructor(pace: Pace | undefined, go: () => void) {
    this.#pace = pace
    this.#go = go
  }

  /** True while nothing is to be read. */
  get on(): boolean {
    return this.#on
  }

  /** Bytes to read at once at most. */
  get most(): number {
    return this.#pace?.piece() ?? Number.POSITIVE_INFINITY
  }

  took(bytes: number): void {
    if (this.#pace === undefined) return
    this.#due = Math.max(this.#due, this.#pace.book(bytes))
    if (this.#due > 0 && !this.#on) void this.#wait(this.#pace)
  }

  end(): void {
    this.#end.abort()
  }

  async #wait(pace: Pace): Promise<void> {
    this.#on = true
    try {
      for (let due = 0; due < this.#due;) {
        due = this.#due
        await pace.until(due, this.#end.signal)
      }
    } catch {
      return
    }
    this.#on = false
    this.#due = 0
    this.#go()
  }
}
