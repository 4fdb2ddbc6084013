import { createHash } from 'node:crypto'

/** A source that is hashed while somebody takes its bytes, also if that one stops early. */
export interface Hashed extends AsyncDisposable {
  /** Its chunks, from where it is now. */
  chunks(): AsyncGenerator<Buffer>
  /** sha256 of what was taken, in hex. */
  digest(): string
  /** Takes what nobody took. */
  drain(): Promise<void>
}

/** Hashes a source, which is closed when this is disposed of. */
export function hashed(source: AsyncIterable<Buffer>): Hashed {
  const hash = createHash('sha256')
  const iterator = source[Symbol.asyncIterator]()
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      hash.update(next.value)
      yield next.value
    }
  }
  return {
    chunks,
    digest: () => hash.copy().digest('hex'),
    async drain() {
      const rest = chunks()
      while (!(await rest.next()).done);
    },
    async [Symbol.asyncDispose]() {
      await iterator.return?.()
    },
  }
}
