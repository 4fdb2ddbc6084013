/** A body whose first bytes are there. */
export interface OpenBody {
  /** The bytes from the first one on; once. */
  readonly chunks: AsyncIterable<Buffer>
  /** What their source threw later, if it did. */
  failure(): unknown
  /** Lets the source go, whether its bytes were read or not. Does not wait for it. */
  close(): void
}

/**
 * Opens a body and waits for its first bytes, so that no connection waits for a slow source: servers end idle uploads.
 * Throws what the source throws and the signal's reason.
 */
export async function firstBytes(
  open: () => AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<OpenBody> {
  signal?.throwIfAborted()
  const source = open()[Symbol.asyncIterator]()
  const close = (): void => void source.return?.().catch(() => {})
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal?.reason as Error)
  signal?.addEventListener('abort', abort, { once: true })
  let first: IteratorResult<Buffer> | undefined
  try {
    first = await Promise.race([source.next(), aborted])
  } catch (error) {
    close()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }

  let failure: unknown
  const next = async (): Promise<IteratorResult<Buffer>> => {
    const waiting = first
    first = undefined
    try {
      return waiting ?? (await source.next())
    } catch (error) {
      failure = error
      throw error
    }
  }
  const end = async (): Promise<IteratorResult<Buffer>> => {
    await source.return?.()
    return { done: true, value: undefined }
  }
  return {
    chunks: { [Symbol.asyncIterator]: () => ({ next, return: end }) },
    failure: () => failure,
    close,
  }
}
