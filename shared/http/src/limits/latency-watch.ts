// How fast a mean follows: the present one, and what is usual when it falls and when it rises.
const PRESENT = 0.3
const FALLING = 0.25
const RISING = 0.01
// Growth counts when it is large both in proportion and in itself, and not by a few requests alone.
const FACTOR = 4
const LEAST_MS = 200
const ENOUGH = 5

interface Means {
  usual: number
  present: number
  count: number
}

/** Tells when a host answers far more slowly than it did before. */
export class LatencyWatch {
  readonly #kinds = new Map<string, Means>()

  /** Takes note of an answer to a request of this kind. True where such answers take far longer than usual by now. */
  add(kind: string, ms: number): boolean {
    const means = this.#kinds.get(kind)
    if (means === undefined) {
      this.#kinds.set(kind, { usual: ms, present: ms, count: 1 })
      return false
    }
    means.usual += (ms < means.usual ? FALLING : RISING) * (ms - means.usual)
    means.present = means.count === 0 ? ms : means.present + PRESENT * (ms - means.present)
    means.count += 1
    return means.count >= ENOUGH && means.present > Math.max(FACTOR * means.usual, means.usual + LEAST_MS)
  }

  /** Something was done about it: judges by what comes from now on. */
  restart(): void {
    for (const means of this.#kinds.values()) means.count = 0
  }
}
