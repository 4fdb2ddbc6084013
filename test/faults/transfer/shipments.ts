import { join } from 'node:path'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'

/** Larger than what is synced file by file. */
const LARGE = 1_100_000
/** Larger than a part: it comes in three, each on another volume. */
const IN_PARTS = 3_000_000
/** What a volume takes of a file. */
export const PART_BYTES = 1_200_000

/** A chain of four shipments with small files, one that is large, one that comes in parts, an empty one, and one in a directory. */
export async function makeChain(content: string): Promise<readonly Shipment[]> {
  const chain: Shipment[] = []
  for (const [index, files] of FILES.entries()) {
    const previous = chain.at(-1)
    chain.push(
      await makeShipment(content, {
        number: index + 1,
        kind: 'SystemRelease',
        lane: 'release',
        files,
        ...(previous === undefined ? {} : { previous }),
      }),
    )
  }
  return chain
}

/** The content directory below a directory of samples. */
export const sourceIn = (directory: string): string => join(directory, 'source')

const FILES: readonly Readonly<Record<string, string>>[] = [
  { large: text('large', LARGE), 'sub/small': 'small\n' },
  { parts: text('parts', IN_PARTS), empty: '', small: text('two', 9000) },
  { payload: 'its metadata alone is carried\n' },
  { 'a/b/deep': text('deep', 5000), last: 'last\n' },
]

/** Text in which no two places look alike. */
function text(seed: string, length: number): string {
  let made = ''
  for (let line = 0; made.length < length; line++) made += `${seed} ${line}\n`
  return made.slice(0, length)
}
