import type { ArchivePlan, PlannedEntry } from './plan-archives.ts'

/** The entry that the byte at `position` belongs to: its header, its data or its padding; none in the end blocks of an empty archive. */
export function entryAt(plan: ArchivePlan, position: number): PlannedEntry | undefined {
  let low = 0
  let high = plan.entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (plan.entries[middle]!.header <= position) low = middle + 1
    else high = middle
  }
  return plan.entries[low - 1]
}
