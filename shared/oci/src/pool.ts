/** Runs `work` over all items, `parallel` at once, in order; the first error stops new work, waits for the rest and is thrown. */
export async function pool<T>(
  items: Iterable<T>,
  parallel: number,
  signal: AbortSignal | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      try {
        signal?.throwIfAborted()
        await work(next.value)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, parallel) }, worker))
  if (failures.length > 0) throw failures[0]
}
