import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { Content } from './scratch.ts'

const part = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9][\w.-]{0,30}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z]{80,140}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-zäöü漢字 €]{0,40}[ß]$/) },
)
const name = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
const size = fc.oneof(fc.constantFrom(0, 1, 511, 512, 513, 1024), fc.nat(5000))

/** Names short and long, ASCII or not; data empty, a multiple of 512 or neither. No name is a directory of another. */
export const arbitraryContents: fc.Arbitrary<Content[]> = fc
  .uniqueArray(fc.record({ name, size }), { selector: (entry) => entry.name, maxLength: 12 })
  .map((entries) => entries.filter((one) => !entries.some((other) => other.name.startsWith(`${one.name}/`))))
  .map((entries) => entries.map((entry) => ({ name: entry.name, data: bytesOf(entry.name, entry.size) })))

/** Bytes that follow from a seed and do not repeat soon. */
export function bytesOf(seed: string, size: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(1, size) })
    .update(seed)
    .digest()
    .subarray(0, size)
}
