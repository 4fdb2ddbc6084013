import { errorObject } from '@carryall/errors'
import type { SyncedImage } from '@carryall/schemas'

/** An error as plans, reports and journals have it. */
export function syncError(error: unknown): NonNullable<SyncedImage['error']> {
  const { code, message, hint } = errorObject(error)
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}
