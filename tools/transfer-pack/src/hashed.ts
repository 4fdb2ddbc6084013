import { createHash } from 'node:crypto'

/** sha256 (hex) of bytes that are at hand. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Passes chunks on, each after `eat` has had it. */
export async function* tapped<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  eat: (chunk: T) => void,
): AsyncGenerator<T, void, undefined> {
  for await (const chunk of chunks) {
    eat(chunk)
    yield chunk
  }
}

/** One chunk, as a stream. */
export async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
