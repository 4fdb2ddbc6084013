const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** A part of the day in local time, such as a row of `bandwidth_table` in a SyncConfig. */
export interface TimetableRow {
  /** `HH:MM` */
  readonly from: string
  /** `HH:MM`, not included; at or before `from` it is that time of the next day. */
  readonly to: string
  /** The days on which it begins; all if absent. */
  readonly days?: readonly (typeof DAYS)[number][] | undefined
  /** Bytes per second. */
  readonly bandwidth: number
}

/** The bandwidth of the first row that a time falls into, and `fallback` where there is none. */
export function timetable(
  rows: readonly TimetableRow[],
  fallback: number | undefined,
): (now: Date) => number | undefined {
  return (now) => rows.find((row) => holds(row, now))?.bandwidth ?? fallback
}

function holds({ from, to, days }: TimetableRow, now: Date): boolean {
  const time = now.getHours() * 60 + now.getMinutes()
  const begins = (daysAgo: number): boolean =>
    days === undefined || days.includes(DAYS[(now.getDay() + 7 - daysAgo) % 7]!)
  const [start, end] = [minutes(from), minutes(to)]
  if (start < end) return start <= time && time < end && begins(0)
  return (start <= time && begins(0)) || (time < end && begins(1))
}

function minutes(clock: string): number {
  const [hours = 0, rest = 0] = clock.split(':').map(Number)
  return hours * 60 + rest
}
