import type { ArchivePlan } from './plan-archives.ts'

/**
 * How far an archive is final, while its entries become whole in any order. Only whole and proven entries count: one that
 * fails is written again, and what was hashed of it would be wrong.
 */
export class FinishedPrefix {
  readonly #plan: ArchivePlan
  readonly #index: ReadonlyMap<string, number>
  readonly #whole: boolean[]
  #next = 0

  constructor(plan: ArchivePlan) {
    this.#plan = plan
    this.#index = new Map(plan.entries.map((entry, index) => [entry.name, index]))
    this.#whole = plan.entries.map((entry) => entry.size === 0)
    this.#skip()
  }

  /** Notes that an entry is whole and gives back the offset up to which all bytes of the archive are final. */
  finish(name: string): number {
    const index = this.#index.get(name)
    if (index === undefined) throw new RangeError(`Not in ${this.#plan.name}: ${name}`)
    this.#whole[index] = true
    this.#skip()
    return this.offset
  }

  /** Up to the data of the first entry that is not whole; the size of the archive where all are. */
  get offset(): number {
    return this.#plan.entries[this.#next]?.offset ?? this.#plan.size
  }

  #skip(): void {
    while (this.#whole[this.#next] === true) this.#next += 1
  }
}
