import type { Dependency } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'

/** Larger than what is synced file by file. */
const LARGE = 1_100_000
/** Larger than a part: it comes in three, each on another volume. */
const IN_PARTS = 3_000_000
/** What a volume takes of a file. */
export const PART_BYTES = 1_200_000

/**
 * A chain of three shipments with small files, one that is large, one that comes in parts, an empty one.
 * The third relies on the first; of the second the metadata alone has to cross.
 */
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
        dependencies: index < 2 ? [] : [dependencyOn(chain[0]!)],
      }),
    )
  }
  return chain
}

const FILES: readonly Readonly<Record<string, string>>[] = [
  { large: text('large', LARGE), 'sub/small': 'small\n' },
  { payload: 'its metadata alone is carried\n' },
  { parts: text('parts', IN_PARTS), empty: '', 'a/b/deep': text('deep', 9000) },
]

function dependencyOn({ metadata, metadataDigest }: Shipment): Dependency {
  const { name, sequence_number } = metadata
  return { name, sequence_number, metadata_digest: metadataDigest }
}

/** Text in which no two places look alike. */
function text(seed: string, length: number): string {
  let made = ''
  for (let line = 0; made.length < length; line++) made += `${seed} ${line}\n`
  return made.slice(0, length)
}
