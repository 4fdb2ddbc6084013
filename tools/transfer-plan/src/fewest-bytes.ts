import { feasible } from './feasible.ts'

/** Shipments by place in a list; a clause is the set of those that hold something, one of which has to be taken. */
export interface Problem {
  /** Bytes of each shipment. */
  readonly bytes: readonly number[]
  /** Whether it can be taken at all. */
  readonly usable: readonly boolean[]
  /** Clauses that come with each shipment, if it is taken. */
  readonly clauses: readonly (readonly Clause[])[]
  readonly target: number
}

/** Places of the holders, ascending. */
export type Clause = readonly number[]

export interface Choice {
  /** Ascending. */
  readonly chosen: readonly number[]
  readonly bytes: number
  /** False where the steps were used up: there may be a smaller one. */
  readonly exact: boolean
}

/** Visits of a clause: half a second, and a thousand times what a chain takes where most content has one holder. */
const MOST_STEPS = 5_000_000

/**
 * The set with the fewest bytes that has the target and for each of its members one holder of each clause; of several, the
 * one with the fewest members, then with the lowest places. Undefined where there is none. What has a single holder is
 * settled first, the rest by branch and bound. Pure.
 */
export function fewestBytes(problem: Problem, mostSteps = MOST_STEPS): Choice | undefined {
  const usable = feasible(problem)
  if (!usable[problem.target]) return undefined
  const search = new Search(problem, usable, mostSteps)
  search.take(problem.target, [])
  return search.best === undefined ? undefined : { ...search.best, exact: search.steps <= mostSteps }
}

type Found = Omit<Choice, 'exact'>

class Search {
  best: Found | undefined
  steps = 0
  readonly #problem: Problem
  readonly #usable: boolean[]
  readonly #mostSteps: number
  readonly #taken: boolean[]
  #bytes = 0

  constructor(problem: Problem, usable: readonly boolean[], mostSteps: number) {
    this.#problem = problem
    this.#usable = [...usable]
    this.#taken = usable.map(() => false)
    this.#mostSteps = mostSteps
  }

  /** Takes a shipment, settles what follows from that, tries each way to go on, and takes all of it back. */
  take(first: number, clauses: readonly Clause[]): void {
    const trail: number[] = []
    const open = this.#settle(first, clauses, trail)
    if (open !== undefined) this.#branch(open)
    for (const place of trail) {
      this.#taken[place] = false
      this.#bytes -= this.#problem.bytes[place]!
    }
  }

  /** Takes `first` and every sole holder; gives the clauses that are left open, undefined where one has no holder. */
  #settle(first: number, clauses: readonly Clause[], trail: number[]): readonly Clause[] | undefined {
    let open = clauses
    let next: number | undefined = first
    while (next !== undefined) {
      this.#taken[next] = true
      this.#bytes += this.#problem.bytes[next]!
      trail.push(next)
      const all: readonly Clause[] = [...open, ...this.#problem.clauses[next]!]
      this.steps += all.length
      open = all.filter((clause) => !clause.some((holder) => this.#taken[holder]))
      next = undefined
      for (const clause of open) {
        const left = clause.filter((holder) => this.#usable[holder])
        if (left.length === 0) return undefined
        if (left.length === 1) next ??= left[0]
      }
    }
    return open
  }

  #branch(open: readonly Clause[]): void {
    const { bytes } = this.#problem
    if (this.best !== undefined && this.#bytes + this.#atLeast(open) > this.best.bytes) return
    if (open.length === 0) {
      this.#keep()
      return
    }
    if (this.best !== undefined && this.steps > this.#mostSteps) return
    const left = open.map((clause) => clause.filter((holder) => this.#usable[holder]))
    const narrowest = left.reduce((least, clause) => (clause.length < least.length ? clause : least))
    const tried: number[] = []
    for (const holder of narrowest.toSorted((a, b) => bytes[a]! - bytes[b]! || a - b)) {
      this.take(holder, open)
      this.#usable[holder] = false
      tried.push(holder)
    }
    for (const holder of tried) this.#usable[holder] = true
  }

  /** Bytes that the open clauses take at least: clauses that share no holder need one each. */
  #atLeast(open: readonly Clause[]): number {
    const seen = new Set<number>()
    let sum = 0
    for (const clause of open) {
      if (clause.some((holder) => seen.has(holder))) continue
      let least = Infinity
      for (const holder of clause) {
        seen.add(holder)
        if (this.#usable[holder]) least = Math.min(least, this.#problem.bytes[holder]!)
      }
      sum += least
    }
    return sum
  }

  #keep(): void {
    const chosen = this.#taken.flatMap((taken, place) => (taken ? [place] : []))
    const found = { chosen, bytes: this.#bytes }
    if (this.best === undefined || isBetter(found, this.best)) this.best = found
  }
}

function isBetter(a: Found, b: Found): boolean {
  if (a.bytes !== b.bytes) return a.bytes < b.bytes
  if (a.chosen.length !== b.chosen.length) return a.chosen.length < b.chosen.length
  const at = a.chosen.findIndex((place, index) => place !== b.chosen[index])
  return at >= 0 && a.chosen[at]! < b.chosen[at]!
}
