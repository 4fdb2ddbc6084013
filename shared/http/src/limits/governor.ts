import type { HttpResponse } from '../response.ts'
import { retryAfter } from '../retry-after.ts'
import { AdaptiveGate, type Lane, type Place } from './adaptive-gate.ts'
import type { Clock } from './clock.ts'
import type { HostLimits, LimitEvent } from './host-limits.ts'
import { LatencyWatch } from './latency-watch.ts'
import { type Pace, pace } from './pace.ts'
import { rateLimit } from './rate-limit-headers.ts'
import { type RequestRate, requestRate } from './request-rate.ts'
import { Reserve } from './reserve.ts'

/** One exchange with a host, up to the head of its answer. */
export interface Exchange {
  readonly method: string
  readonly url: URL
  readonly lane: Lane
  /** True where the time of the answer says something about the host: small requests, by connections that are kept. */
  readonly timed: boolean
  /** A pause until then has been waited for already. */
  readonly waitedUntil: number
  readonly signal: AbortSignal | undefined
}

/** Lets the requests of one client to one host go when the host's limits and the host itself permit. */
export class Governor {
  readonly #host: string
  readonly #clock: Clock
  readonly #tell: (event: LimitEvent) => void
  readonly #gate: AdaptiveGate | undefined
  readonly #rate: RequestRate | undefined
  readonly #reserve: Reserve | undefined
  readonly #latency = new LatencyWatch()
  #pausedUntil = 0
  #toldUntil = 0
  #underWay = 0
  /** For the bytes of bodies; undefined where they need not wait. */
  readonly pace: Pace | undefined

  /** Without limits it keeps to what the host says by Retry-After, and to nothing else. */
  constructor(host: string, limits: HostLimits | undefined, clock: Clock, tell: (event: LimitEvent) => void) {
    this.#host = host
    this.#clock = clock
    this.#tell = tell
    const { concurrency, requestsPerSecond, bandwidth } = limits ?? {}
    this.#gate = concurrency === undefined ? undefined : new AdaptiveGate(concurrency)
    this.#rate = requestsPerSecond === undefined ? undefined : requestRate(requestsPerSecond)
    this.#reserve = limits === undefined ? undefined : new Reserve()
    this.pace = bandwidth === undefined ? undefined : pace(bandwidth, clock)
  }

  /** The time on the monotonic clock up to which the host wants to be left alone. */
  get pausedUntil(): number {
    return this.#pausedUntil
  }

  /** Runs `exchange` when it may begin. Nothing is held any more when the head of its answer is there. */
  async run<T extends HttpResponse | undefined>(ask: Exchange, exchange: () => Promise<T>): Promise<T> {
    const place = await this.#gate?.enter(ask.lane, ask.signal)
    try {
      if (this.#pausedUntil > 0 || this.#reserve !== undefined) await this.#wait(ask)
      const began = this.#clock.monotonic()
      this.#underWay += 1
      const answer = await exchange().finally(() => {
        this.#underWay -= 1
      })
      if (answer !== undefined) this.#learn(ask, answer, place, this.#clock.monotonic() - began)
      return answer
    } finally {
      if (place !== undefined) this.#gate?.leave(place)
    }
  }

  async #wait(ask: Exchange): Promise<void> {
    for (;;) {
      const held = this.#held(ask)
      if (held > 0) {
        await this.#clock.sleep(held, ask.signal)
        continue
      }
      this.#reserve?.take(ask)
      const turn = this.#rate?.(this.#clock.monotonic()) ?? 0
      if (turn === 0) return
      await this.#clock.sleep(turn, ask.signal)
      if (this.#paused(ask) <= 0) return
    }
  }

  #held(ask: Exchange): number {
    const now = this.#clock.monotonic()
    const paused = this.#paused(ask)
    if (paused > 0) return paused
    const waitMs = this.#reserve?.wait(ask, now) ?? 0
    if (waitMs > 0 && now >= this.#toldUntil) {
      this.#toldUntil = now + waitMs
      this.#tell({ kind: 'spared', host: this.#host, waitMs, remaining: this.#reserve!.left })
    }
    return waitMs
  }

  #paused({ waitedUntil }: Exchange): number {
    return this.#pausedUntil <= waitedUntil ? 0 : this.#pausedUntil - this.#clock.monotonic()
  }

  #learn(ask: Exchange, answer: HttpResponse, place: Place | undefined, ms: number): void {
    const now = this.#clock.monotonic()
    const said = this.#reserve && rateLimit(answer, this.#clock.now())
    if (said !== undefined) this.#reserve?.learn(said, this.#underWay, now)
    if (answer.status === 429 || answer.status === 503) return this.#refused(answer, place, now)
    if (place === undefined) return
    const slow = ask.timed && this.#latency.add(ask.method, ms)
    if (slow) this.#narrow(place, 'latency')
    else this.#gate?.widen(place)
  }

  #refused(answer: HttpResponse, place: Place | undefined, now: number): void {
    const { status } = answer
    const waitMs = retryAfter(answer.header('retry-after'), this.#clock.now().getTime())
    if (waitMs !== undefined && now + waitMs > this.#pausedUntil) {
      if (now >= this.#pausedUntil) this.#tell({ kind: 'paused', host: this.#host, waitMs, status })
      this.#pausedUntil = now + waitMs
    }
    if (place !== undefined && (status === 429 || waitMs !== undefined)) this.#narrow(place, 'refused')
  }

  #narrow(place: Place, reason: 'refused' | 'latency'): void {
    const concurrency = this.#gate?.narrow(place)
    if (concurrency === undefined) return
    this.#latency.restart()
    this.#tell({ kind: 'slowed', host: this.#host, concurrency, reason })
  }
}
