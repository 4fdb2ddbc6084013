import type { RateLimit } from './rate-limit-headers.ts'

// What is left for others who count against the same limit: a part of it, few requests at most.
const PART = 20
const MOST = 10
// However far away the end of the window is, one request goes after this time and asks how things are.
const PATIENCE_MS = 60_000

/** What is looked at to tell whether a request counts. */
export interface Counted {
  readonly method: string
  readonly url: URL
}

/** Keeps the requests to a host from running into the limit that its answers announce. */
export class Reserve {
  #left = Number.POSITIVE_INFINITY
  #least = 0
  #resetAt = 0
  #nextAt: number | undefined
  #pullsOnly = false

  /** Requests that the host still takes, as far as is known. */
  get left(): number {
    return Math.max(0, this.#left)
  }

  /** Milliseconds to wait from `now` on; with 0 the request goes, which `take` says. */
  wait(request: Counted, now: number): number {
    if (this.#left >= this.#least || this.#isFree(request)) return 0
    if (now >= this.#resetAt) {
      this.#left = Number.POSITIVE_INFINITY
      return 0
    }
    this.#nextAt ??= Math.min(this.#resetAt, now + PATIENCE_MS)
    return Math.max(0, this.#nextAt - now)
  }

  take(request: Counted): void {
    if (this.#isFree(request)) return
    this.#left -= 1
    this.#nextAt = undefined
  }

  /** Takes in what an answer says; `others` are the requests under way that it may not have counted. */
  learn({ remaining, limit, resetMs, pullsOnly }: RateLimit, others: number, now: number): void {
    this.#left = remaining - others
    this.#least = Math.min(MOST, Math.max(1, Math.ceil((limit ?? 1) / PART)))
    this.#resetAt = now + (resetMs ?? PATIENCE_MS)
    this.#pullsOnly = pullsOnly
  }

  #isFree({ method, url }: Counted): boolean {
    return this.#pullsOnly && (method !== 'GET' || !url.pathname.includes('/manifests/'))
  }
}
