import { CarryallError } from '@carryall/errors'
import type { Known } from './link.ts'

/** Clocks differ, and a machine that has just started may have a wrong one for a moment. */
const AHEAD_MS = 24 * 60 * 60 * 1000
const BEHIND_MS = 5 * 60 * 1000

/** Whether the clock of this site is more than 5 minutes behind what it has seen before. */
export function isBehind(now: Date, lastSeen: string | undefined): boolean {
  return lastSeen !== undefined && now.getTime() < new Date(lastSeen).getTime() - BEHIND_MS
}

/** Refuses to judge by a clock that has gone back; `flag` lets it pass. Pure. Throws SEQ_CLOCK (81). */
export function refuseBackwardClock(now: Date, lastSeen: string | undefined, flag: string): void {
  if (!isBehind(now, lastSeen)) return
  throw new CarryallError('SEQ_CLOCK', `It is ${now.toISOString()} here, and was ${lastSeen} before`, {
    expected: lastSeen!,
    actual: now.toISOString(),
    hint: `Correct the clock; if it was wrong before, and is right now, use --${flag}`,
  })
}

/** Refuses a shipment that was made more than 24 hours from now. Pure. Throws SEQ_CLOCK (81). */
export function refuseFuture({ metadata: { name, timestamp } }: Known, now: Date): void {
  if (new Date(timestamp).getTime() <= now.getTime() + AHEAD_MS) return
  throw new CarryallError(
    'SEQ_CLOCK',
    `${name} was made at ${timestamp}, and it is ${now.toISOString()} here`,
    {
      subject: { kind: 'shipment', name },
      expected: now.toISOString(),
      actual: timestamp,
      hint: 'Correct the clock here, or of the machine that made it',
    },
  )
}

/** Whether it was not to be used any more. Pure. */
export function isExpired({ metadata: { expires } }: Known, now: Date): boolean {
  return expires !== undefined && new Date(expires) <= now
}

/** Refuses what was not to be used any more. Pure. Throws SEQ_EXPIRED (81). */
export function refuseExpired(shipment: Known, now: Date): void {
  if (!isExpired(shipment, now)) return
  const { name, expires } = shipment.metadata
  throw new CarryallError('SEQ_EXPIRED', `${name} was not to be used after ${expires}`, {
    subject: { kind: 'shipment', name },
    expected: expires!,
    actual: now.toISOString(),
    hint: 'Have a newer one carried; if the date here is wrong, correct the clock; to use it all the same, use --allow-expired',
  })
}
