import { setTimeout as wait } from 'node:timers/promises'

/** Time as the limits see it. */
export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number
  /** The time of day, for timetables and dates in headers. */
  now(): Date
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The clock of this process. */
export const processClock: Clock = {
  monotonic: () => performance.now(),
  now: () => new Date(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
  },
}
