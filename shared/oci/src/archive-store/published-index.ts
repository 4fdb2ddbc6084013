import { entryName } from '../layout/entry-name.ts'
import { type Entry, type LayoutIndex, nameOf } from '../layout/layout-index.ts'
import type { ManifestFacts } from '../layout/manifest-facts.ts'
import { shelves } from '../layout/shelf.ts'

/**
 * An index as an archive has it: sorted, so that the same images make the same bytes, and without the entries that only
 * keep a part of an index reachable. So an archive of one image has one entry, and other programs need no name to find it.
 */
export async function publishedIndex(index: LayoutIndex, facts: ManifestFacts): Promise<LayoutIndex> {
  const parts = new Map<string, ReadonlySet<string>>()
  for (const [repository, { roots }] of shelves(index)) parts.set(repository, await facts.contained(roots))
  const entries = index.entries.filter(({ repository, descriptor, ...entry }) => {
    const isPin = nameOf(entry) === entryName(repository, undefined, descriptor.digest)
    return !isPin || parts.get(repository)?.has(descriptor.digest) !== true
  })
  return { ...index, entries: entries.sort(byName) }
}

function byName(one: Entry, other: Entry): number {
  const [a, b] = [sortKey(one), sortKey(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

// No name has a character below it.
function sortKey({ repository, tag = '', descriptor }: Entry): string {
  return [repository, tag, descriptor.digest].join('\0')
}
