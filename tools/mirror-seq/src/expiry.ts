import { CarryallError } from '@carryall/errors'

const DAY = 86_400_000

/** `--expires` as RFC 3339 UTC: a time, or days from now (`90d`). Throws USAGE_BAD_VALUE. */
export function expiry(given: string | undefined, now: Date): string | undefined {
  if (given === undefined) return undefined
  const days = /^(\d{1,5})d$/.exec(given)
  const time =
    days === null
      ? new Date(/^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(given) ? given : Number.NaN)
      : new Date(now.getTime() + Number(days[1]) * DAY)
  if (Number.isNaN(time.getTime()) || time <= now) {
    throw new CarryallError(
      'USAGE_BAD_VALUE',
      `--expires "${given}" cannot be used: a time in the future is wanted`,
      {
        subject: { kind: 'flag', name: 'expires' },
        hint: 'Write days (90d), a date (2027-01-31) or a time (2027-01-31T00:00:00Z)',
      },
    )
  }
  return time.toISOString()
}
