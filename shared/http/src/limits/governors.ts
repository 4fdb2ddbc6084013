import { type Clock, processClock } from './clock.ts'
import { Governor } from './governor.ts'
import type { HostLimits, LimitEvent } from './host-limits.ts'

type Limits = (host: string) => HostLimits | undefined

export interface LimitOptions {
  /** What a host, `host[:port]` as in `URL.host`, is to be spared; asked once. */
  readonly limits?: Limits | undefined
  /** Told when requests are held back. */
  readonly onLimit?: ((event: LimitEvent) => void) | undefined
  /** For the waits that limits need; that of the process if absent. */
  readonly clock?: Clock | undefined
}

const shared = new WeakMap<Limits, Map<string, Governor>>()

/**
 * A governor for each host, made at its first request. Whoever is given the same `limits` shares the governors, so that a host
 * that is read from and written to by two clients is spared by both together; the first to ask is told.
 */
export function governors({
  limits,
  onLimit,
  clock = processClock,
}: LimitOptions): (host: string) => Governor {
  const all = (limits && shared.get(limits)) ?? new Map<string, Governor>()
  if (limits !== undefined) shared.set(limits, all)
  return (host) => {
    const known = all.get(host)
    if (known !== undefined) return known
    const made = new Governor(host, limits?.(host), clock, onLimit ?? (() => {}))
    all.set(host, made)
    return made
  }
}
