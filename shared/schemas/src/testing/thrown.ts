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

/** Milliseconds of the quickest of three runs, so that a busy host does not decide. */
export function quickest(act: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const start = performance.now()
    act()
    return performance.now() - start
  })
  return Math.min(...times)
}
