import { CarryallError } from '@carryall/errors'

/** What `act` throws, which must be an error of ours. */
export function thrown(act: () => unknown): CarryallError {
  try {
    act()
  } catch (error) {
    if (error instanceof CarryallError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
