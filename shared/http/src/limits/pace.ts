import type { Clock } from './clock.ts'

// What may go at once after a silence, and how much goes between two waits.
const BURST_MS = 100
const PIECE_MS = 50
// A shorter wait is owed: timers are no finer.
const SHORTEST_MS = 4
const LEAST_PIECE = 4 * 1024
const LARGEST_PIECE = 1024 * 1024

/** The bytes of all connections with one host, kept below a rate that may change at any time. */
export interface Pace {
  /** Bytes that go at once at most, so that they flow evenly. */
  piece(): number
  /** Takes note of bytes that go or have come: the time on the monotonic clock at which more may; 0 is now. */
  book(bytes: number): number
  /** Waits for that time. */
  until(due: number, signal?: AbortSignal): Promise<void>
}

/** A bucket that all connections share, first come, first served. */
export function pace(bandwidth: (now: Date) => number | undefined, clock: Clock): Pace {
  let free = 0
  const rate = (): number => Math.max(1, bandwidth(clock.now()) ?? Number.POSITIVE_INFINITY)
  return {
    piece: () => Math.floor(Math.min(LARGEST_PIECE, Math.max(LEAST_PIECE, (rate() * PIECE_MS) / 1000))),
    book: (bytes) => {
      const now = clock.monotonic()
      free = Math.max(free, now - BURST_MS) + (bytes * 1000) / rate()
      return free - now >= SHORTEST_MS ? free : 0
    },
    until: async (due, signal) => {
      const ms = due - clock.monotonic()
      if (ms > 0) await clock.sleep(Math.ceil(ms), signal)
    },
  }
}
