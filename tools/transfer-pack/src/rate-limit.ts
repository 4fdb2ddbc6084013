import { setTimeout } from 'node:timers/promises'

/** Milliseconds. */
export interface Clock {
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Fulfilled when so many bytes may be written. */
export type Limiter = (bytes: number, signal?: AbortSignal) => Promise<void>

/** What was not used in this time may be made up for. */
const BURST_MS = 250

const clockOfSystem: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
}

/** A token bucket for `bytesPerSecond`, shared by all who use it; without a rate nobody waits. */
export function rateLimit(bytesPerSecond: number | undefined, clock: Clock = clockOfSystem): Limiter {
  if (bytesPerSecond === undefined) return () => Promise.resolve()
  // When all that was let through has been written at this rate.
  let due = clock.now()
  return async (bytes, signal) => {
    const now = clock.now()
    due = Math.max(due, now - BURST_MS) + (bytes / bytesPerSecond) * 1000
    if (due > now) await clock.sleep(due - now, signal)
  }
}
