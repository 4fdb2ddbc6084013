import { CarryallError } from '@carryall/errors'
import type { Host } from './host.ts'

/** The wall clock, or the one moment that SOURCE_DATE_EPOCH names (seconds, reproducible-builds.org). CONFIG_INVALID if it is not a number. */
export function createClock(host: Pick<Host, 'env' | 'now'>): () => Date {
  const epoch = host.env['SOURCE_DATE_EPOCH']
  if (!epoch) return () => host.now()
  const time = /^\d{1,12}$/.test(epoch) ? Number(epoch) * 1000 : NaN
  if (Number.isNaN(new Date(time).getTime())) {
    throw new CarryallError(
      'CONFIG_INVALID',
      `Environment variable SOURCE_DATE_EPOCH is "${epoch}"; seconds since 1970 are wanted`,
    )
  }
  return () => new Date(time)
}
