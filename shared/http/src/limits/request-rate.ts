// What may go at once after a silence, so that timers need not be finer than they are.
const BURST_MS = 50

/** Gives each request its moment: the milliseconds that it has to wait from `now` on. */
export type RequestRate = (now: number) => number

/** So many requests in a second, evenly spread, in the order of the calls. */
export function requestRate(perSecond: number): RequestRate {
  const interval = 1000 / perSecond
  let next = 0
  return (now) => {
    const mine = Math.max(next, now - BURST_MS)
    next = mine + interval
    return Math.max(0, mine - now)
  }
}
