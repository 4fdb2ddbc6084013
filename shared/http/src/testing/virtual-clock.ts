import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../limits/clock.ts'

/** A clock that stands still but for sleepers, who carry it to where they wanted to be, at once. */
export interface VirtualClock extends Clock {
  readonly slept: readonly number[]
}

export function virtualClock(start = new Date(2026, 0, 5, 12)): VirtualClock {
  const slept: number[] = []
  let time = 1000
  return {
    slept,
    monotonic: () => time,
    now: () => new Date(start.getTime() + time - 1000),
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      const due = time + ms
      await setImmediate()
      time = Math.max(time, due)
    },
  }
}
