import type { Descriptor } from '@carryall/schemas'
import type { LayoutIndex } from './layout-index.ts'

/** What one repository of an index names, found without a search. Of two entries with the same tag the first counts. */
export interface Shelf {
  /** Every manifest that index.json names, tagged or not; the same list for the same index. */
  readonly roots: readonly Descriptor[]
  readonly tags: ReadonlyMap<string, Descriptor>
  readonly digests: ReadonlyMap<string, Descriptor>
}

interface OpenShelf extends Shelf {
  readonly roots: Descriptor[]
  readonly tags: Map<string, Descriptor>
  readonly digests: Map<string, Descriptor>
}

const newShelf = (): OpenShelf => ({ roots: [], tags: new Map(), digests: new Map() })
const EMPTY: Shelf = newShelf()
// An index is never changed in place.
const known = new WeakMap<LayoutIndex, ReadonlyMap<string, Shelf>>()

/** The shelf of a repository, an empty one where the index does not name it. */
export function shelfOf(index: LayoutIndex, repository: string): Shelf {
  return shelves(index).get(repository) ?? EMPTY
}

/** All repositories of an index with what each names. */
export function shelves(index: LayoutIndex): ReadonlyMap<string, Shelf> {
  const found = known.get(index) ?? sort(index)
  known.set(index, found)
  return found
}

function sort(index: LayoutIndex): ReadonlyMap<string, Shelf> {
  const found = new Map<string, OpenShelf>()
  for (const { repository, tag, descriptor } of index.entries) {
    const shelf = found.get(repository) ?? newShelf()
    found.set(repository, shelf)
    shelf.roots.push(descriptor)
    if (tag !== undefined && !shelf.tags.has(tag)) shelf.tags.set(tag, descriptor)
    if (!shelf.digests.has(descriptor.digest)) shelf.digests.set(descriptor.digest, descriptor)
  }
  return found
}
