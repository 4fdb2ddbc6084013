/** Works on items, at most `parallel` at once, and gives the results in the order of the items. */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  parallel: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const begun: Promise<R>[] = []
  for await (const item of items) {
    const result = work(item)
    // Its error is thrown when it is its turn.
    result.catch(() => {})
    begun.push(result)
    if (begun.length >= parallel) yield await begun.shift()!
  }
  for (const result of begun) yield await result
}

/** The streams one after the other; the first item of up to `parallel` of them is asked for ahead, and with it their first page. */
export async function* concatenated<T>(
  streams: AsyncIterable<AsyncIterable<T>>,
  parallel: number,
): AsyncGenerator<T, void, undefined> {
  const begun = inOrder(streams, parallel, async (stream) => {
    const items = stream[Symbol.asyncIterator]()
    return { items, first: await items.next() }
  })
  for await (const { items, first } of begun) {
    for (let next = first; !next.done; next = await items.next()) yield next.value
  }
}
