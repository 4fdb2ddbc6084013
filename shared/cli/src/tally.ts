import { formatBytes } from './bytes.ts'
import { formatSeconds } from './duration.ts'

const WINDOW_MS = 15_000

/** What a phase has done so far, and how fast: the numbers behind every form of progress. `ticks` is in milliseconds. */
export class Tally {
  readonly title: string
  readonly items: number | undefined
  readonly totalBytes: number | undefined
  readonly inWork = new Set<string>()
  done = 0
  failures = 0
  bytes = 0
  readonly #ticks: () => number
  readonly #start: number
  /** Time and bytes, once a second, for a rate that follows what happens now. */
  readonly #samples: { readonly at: number; readonly bytes: number }[]

  constructor(
    title: string,
    total: { readonly items?: number; readonly bytes?: number },
    ticks: () => number,
  ) {
    this.title = title
    this.items = total.items
    this.totalBytes = total.bytes
    this.#ticks = ticks
    this.#start = ticks()
    this.#samples = [{ at: this.#start, bytes: 0 }]
  }

  start(item: string): void {
    this.inWork.add(item)
  }

  advance(bytes: number): void {
    this.bytes += bytes
    const now = this.#ticks()
    if (now - this.#samples.at(-1)!.at >= 1000) this.#samples.push({ at: now, bytes: this.bytes })
    while (this.#samples.length > 2 && now - this.#samples[1]!.at > WINDOW_MS) this.#samples.shift()
  }

  end(item: string, failed: boolean): void {
    this.inWork.delete(item)
    this.done++
    if (failed) this.failures++
  }

  get seconds(): number {
    return (this.#ticks() - this.#start) / 1000
  }

  /** Bytes per second of the last fifteen seconds. */
  get rate(): number {
    const oldest = this.#samples[0]!
    const seconds = (this.#ticks() - oldest.at) / 1000
    return seconds > 0 ? (this.bytes - oldest.bytes) / seconds : 0
  }

  /** By bytes where their total is known, else by items; undefined while there is nothing to judge by. */
  get secondsLeft(): number | undefined {
    if (this.totalBytes !== undefined) {
      return this.rate > 0 ? Math.max(0, this.totalBytes - this.bytes) / this.rate : undefined
    }
    if (this.items === undefined || this.done === 0) return undefined
    return (this.seconds / this.done) * Math.max(0, this.items - this.done)
  }

  /** `12/810`, or `12` where the total is unknown. */
  get count(): string {
    return this.items === undefined ? String(this.done) : `${this.done}/${this.items}`
  }

  /** `12/810  1.2 GB of 22.0 GB  45.1 MB/s  7m 41s left`. */
  get status(): string {
    const left = this.secondsLeft
    return [
      this.count,
      ...(this.bytes === 0 && this.totalBytes === undefined
        ? []
        : [
            formatBytes(this.bytes) +
              (this.totalBytes === undefined ? '' : ` of ${formatBytes(this.totalBytes)}`),
          ]),
      ...(this.rate > 0 ? [`${formatBytes(this.rate)}/s`] : []),
      ...(left === undefined ? [] : [`${formatSeconds(left)} left`]),
    ].join('  ')
  }

  /** `Fetching: 810/810, 22.0 GB in 8m 12s (44.7 MB/s), 2 failed`. */
  get summary(): string {
    const rate = this.seconds > 0 ? ` (${formatBytes(this.bytes / this.seconds)}/s)` : ''
    return [
      `${this.title}: ${this.count}`,
      `${this.bytes > 0 ? `${formatBytes(this.bytes)} ` : ''}in ${formatSeconds(this.seconds)}${this.bytes > 0 ? rate : ''}`,
      ...(this.failures > 0 ? [`${this.failures} failed`] : []),
    ].join(', ')
  }
}
