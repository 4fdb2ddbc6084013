import { type Clock, processClock } from './clock.ts'
import { Governor } from './governor.ts'
import type { HostLimits, LimitEvent } from './host-limits.ts'

export interface LimitOptions {
  /** What a host, `host[:port]` as in `URL.host`, is to be spared; asked once. */
  readonly limits?: ((host: string) => HostLimits | undefined) | undefined
  /** Told when requests are held back. */
  readonly onLimit?: ((event: LimitEvent) => void) | undefined
  /** For the waits that limits need; that of the process if absent. */
  readonly clock?: Clock | undefined
}

/** A governor for each host, made at its first request. */
export function governors({
  limits,
  onLimit,
  clock = processClock,
}: LimitOptions): (host: string) => Governor {
  const all = new Map<string, Governor>()
  return (host) => {
    const known = all.get(host)
    if (known !== undefined) return known
    const made = new Governor(host, limits?.(host), clock, onLimit ?? (() => {}))
    all.set(host, made)
    return made
  }
}
