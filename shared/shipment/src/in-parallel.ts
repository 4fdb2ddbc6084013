import { setImmediate } from 'node:timers/promises'

const AT_ONCE = 32

/** Does the same for each, 32 at once at most; what came of it in the order of the items. The first failure ends it. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      results[index] = await work(item)
      // Work that never waits would keep signals out.
      await setImmediate()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}
