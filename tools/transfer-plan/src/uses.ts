import type { Catalogue, Content } from './catalogue.ts'

/** What is carried of a shipment for others that are carried. */
export interface Use {
  /** Blobs that they need, each counted once. */
  readonly blobs: number
  readonly bytes: number
  /** Places of those that need them, or that say to need the shipment as a whole. */
  readonly users: readonly number[]
  /** Some of it can be had from no other shipment. */
  readonly only: boolean
}

/**
 * Why each shipment of a choice is in it: what others take from it. An item that several of them hold counts for the
 * lowest. Pure.
 */
export function usesOf(
  chosen: readonly number[],
  contents: readonly Content[],
  usable: readonly boolean[],
  present: Uint8Array,
  catalogue: Pick<Catalogue, 'bytesOf'>,
): ReadonlyMap<number, Use> {
  const holderOf = new Map<number, number>()
  for (const place of chosen)
    for (const item of contents[place]!.held) if (!holderOf.has(item)) holderOf.set(item, place)
  const uses = new Map<number, { items: Set<number>; users: Set<number> }>()
  for (const user of chosen) {
    const own = new Set(contents[user]!.held)
    for (const item of contents[user]!.borrowed) {
      const holder = holderOf.get(item)
      if (present[item] === 1 || own.has(item) || holder === undefined) continue
      const use = uses.get(holder) ?? { items: new Set(), users: new Set() }
      use.items.add(item)
      use.users.add(user)
      uses.set(holder, use)
    }
  }
  const held = countHolders(
    contents.filter((_, place) => usable[place]),
    present.length,
  )
  return new Map(
    [...uses].map(([holder, { items, users }]) => {
      const blobs = [...items].filter((item) => item !== contents[holder]!.held[0])
      return [
        holder,
        {
          blobs: blobs.length,
          bytes: blobs.reduce((sum, item) => sum + catalogue.bytesOf(item), 0),
          users: [...users],
          only: [...items].some((item) => held[item] === 1),
        },
      ]
    }),
  )
}

function countHolders(contents: readonly Content[], size: number): Uint32Array {
  const counts = new Uint32Array(size)
  for (const { held } of contents) for (const item of held) counts[item]!++
  return counts
}
