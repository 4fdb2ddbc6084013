import type { Content } from './catalogue.ts'

/** Whether these shipments alone have all that the target needs, whatever is at the site. Places in `contents`. Pure. */
export function suffices(chosen: readonly number[], contents: readonly Content[], target: number): boolean {
  const held = new Map<number, number>()
  for (const place of chosen) for (const item of contents[place]!.held) held.set(item, place)
  const wanted = new Set([target])
  for (const place of wanted) {
    for (const item of contents[place]!.borrowed) {
      const holder = held.get(item)
      if (holder === undefined) return false
      // Declared as a whole, and with it what it needs itself.
      if (contents[holder]!.held[0] === item) wanted.add(holder)
    }
  }
  return chosen.includes(target)
}
