import { createHash } from 'node:crypto'

/** The bytes that belong to a number: writers and checkers agree on them and on nothing else. */
export function contentOf(number: number): Buffer {
  const pattern = createHash('sha256').update(String(number)).digest()
  return Buffer.alloc(((number * 7919) % 20_000) + 1, pattern)
}

export const OLD = Buffer.alloc(100_000, 'old ')
export const NEW = Buffer.alloc(2_500_000, 'new content ')

/** As it comes from a network: in parts. */
export async function* inParts(data: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += 1_000_000) yield data.subarray(at, at + 1_000_000)
}
