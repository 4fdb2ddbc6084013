/** What one host is to be spared; each limit holds for all requests to it together. */
export interface HostLimits {
  /**
   * Requests at most that wait for their answer, and as many uploads beside them: an upload may wait for a download from the
   * same host. Fewer where the host answers 429, 503 with Retry-After, or ever more slowly; then more again, one by one.
   */
  readonly concurrency?: number
  /** Requests begun in a second at most, evenly spread. */
  readonly requestsPerSecond?: number
  /** Bytes per second in either direction, now; undefined is no limit. */
  readonly bandwidth?: (now: Date) => number | undefined
}

/** Something that a host's limits do to requests, for logs. */
export type LimitEvent =
  | {
      /** The host asked for it by Retry-After. */
      readonly kind: 'paused'
      readonly host: string
      readonly waitMs: number
      readonly status: number
    }
  | {
      /** The host says that few requests are left until it counts anew. */
      readonly kind: 'spared'
      readonly host: string
      readonly waitMs: number
      readonly remaining: number
    }
  | {
      readonly kind: 'slowed'
      readonly host: string
      /** Requests at once from now on. */
      readonly concurrency: number
      readonly reason: 'refused' | 'latency'
    }
