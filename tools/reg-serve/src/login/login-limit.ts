const BURST = 10
const MS_PER_TRY = 6000
const MAX_CLIENTS = 10_000

interface Bucket {
  tries: number
  since: number
}

/**
 * How often a client may try to log in: ten failures at once, then one every six seconds. Each address counts on its own, so
 * that nobody is locked out by somebody else; of IPv6 the first 64 bits, which one host has all to itself.
 */
export class LoginLimit {
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** `now` is in milliseconds and never goes back. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Takes one try. 0 where there was one, else the seconds until there is. */
  take(address: string): number {
    const key = clientOf(address)
    const now = this.#now()
    const { tries, since } = this.#buckets.get(key) ?? { tries: BURST, since: now }
    const earned = Math.floor((now - since) / MS_PER_TRY)
    const available = Math.min(BURST, tries + earned)
    const from = available === BURST ? now : since + earned * MS_PER_TRY
    this.#remember(key, { tries: Math.max(available - 1, 0), since: from })
    return available > 0 ? 0 : Math.ceil((from + MS_PER_TRY - now) / 1000)
  }

  /** Gives a try back: the login was right. */
  giveBack(address: string): void {
    const bucket = this.#buckets.get(clientOf(address))
    if (bucket !== undefined) bucket.tries = Math.min(BURST, bucket.tries + 1)
  }

  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    // Whoever tried longest ago is forgotten first.
    if (this.#buckets.size > MAX_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value!)
  }
}

function clientOf(address: string): string {
  const mapped = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!mapped.includes(':')) return mapped
  const [head = '', tail] = mapped.split('%', 1)[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(8 - left.length - right.length, 0)
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')
}
