import type { Problem } from './fewest-bytes.ts'

/** Which shipments can be taken: those for which every clause has a holder that can be taken itself. Pure. */
export function feasible({ usable, clauses }: Pick<Problem, 'usable' | 'clauses'>): readonly boolean[] {
  const left = [...usable]
  for (let changed = true; changed;) {
    changed = false
    left.forEach((possible, at) => {
      if (!possible || clauses[at]!.every((clause) => clause.some((holder) => left[holder]))) return
      left[at] = false
      changed = true
    })
  }
  return left
}
