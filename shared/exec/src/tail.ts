/** Keeps the last `limit` bytes of a stream, in at most twice the space. */
export class Tail {
  readonly #limit: number
  #chunks: Buffer[] = []
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > 2 * this.#limit) this.#cut()
  }

  text(): string {
    return this.#cut().toString('utf8')
  }

  #cut(): Buffer {
    const kept = Buffer.concat(this.#chunks).subarray(-this.#limit)
    this.#chunks = [kept]
    this.#size = kept.length
    return kept
  }
}
