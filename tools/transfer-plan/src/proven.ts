import type { Content } from './catalogue.ts'

/** What is at the site for certain. */
export interface Proven {
  /** 1 for each item of the catalogue that is there. */
  readonly items: Uint8Array
  /** Places of the shipments that prove it. */
  readonly shipments: ReadonlySet<number>
}

/**
 * All that the shipments need that are complete there, and where one of these has no index, all that the shipments need
 * that it depends on. `complete` are places in `contents`, `size` is that of the catalogue. Pure.
 */
export function proven(contents: readonly Content[], complete: Iterable<number>, size: number): Proven {
  const items = new Uint8Array(size)
  const owners = new Map(contents.map(({ held }, place) => [held[0]!, place]))
  const shipments = new Set(complete)
  for (const place of shipments) {
    const { held, borrowed } = contents[place]!
    for (const item of held) items[item] = 1
    for (const item of borrowed) {
      items[item] = 1
      const owner = owners.get(item)
      if (owner !== undefined) shipments.add(owner)
    }
  }
  return { items, shipments }
}
