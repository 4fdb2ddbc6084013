import type { Content } from './catalogue.ts'
import { feasible } from './feasible.ts'
import { fewestBytes, type Choice, type Clause } from './fewest-bytes.ts'

/** A chain's content, shipment by shipment: every list has one entry for each, by number. */
export interface ClosureInput {
  readonly contents: readonly Content[]
  readonly bytes: readonly number[]
  /** It can be carried: its files are here, and it is not newer than the target. */
  readonly usable: readonly boolean[]
  /** 1 for each item of the catalogue that is at the site. */
  readonly present: Uint8Array
  /** Place of the shipment that has to be complete at the site. */
  readonly target: number
}

/** Which shipments to carry, or what nobody holds. */
export type Closure = (Choice & { readonly lacking?: never }) | { readonly lacking: readonly Lack[] }

/** An item that is not at the site and in no shipment that can be carried. */
export interface Lack {
  readonly item: number
  /** Number of the shipment that should have it. */
  readonly lender: number
}

/**
 * The shipments with the fewest bytes that make the target complete at the site: each item that one of them needs is there
 * already, in itself, or in another of them. Items with the same holders are one clause, so that the search depends on
 * the number of shipments and not on that of blobs. Pure.
 */
export function closure(input: ClosureInput, mostSteps?: number): Closure {
  const { contents, bytes, usable, target } = input
  const holders = holdersOf(contents, usable, input)
  const clauses = contents.map((_, place) => (place > target ? [] : clausesOf(place, holders, input)))
  const choice = fewestBytes({ bytes, usable, clauses, target }, mostSteps)
  if (choice !== undefined) return choice
  const possible = feasible({ usable, clauses })
  return { lacking: lackingFor(target, (holder) => possible[holder]!, holders, input) }
}

type Holders = ReadonlyMap<number, Clause>

/** Who holds what somebody has to take from another. The same list stands for all items with the same holders. */
function holdersOf(
  contents: readonly Content[],
  usable: readonly boolean[],
  { present, target }: ClosureInput,
): Holders {
  const wanted = new Uint8Array(present.length)
  for (const { borrowed } of contents.slice(0, target + 1))
    for (const item of borrowed) if (present[item] === 0) wanted[item] = 1
  const lists = new Map<number, number[]>()
  contents.forEach(({ held }, place) => {
    if (!usable[place]) return
    for (const item of held) {
      if (wanted[item] === 0) continue
      const list = lists.get(item)
      if (list === undefined) lists.set(item, [place])
      else list.push(place)
    }
  })
  const shared = new Map<string, Clause>()
  const sharedList = (list: number[]): Clause => {
    const key = list.join()
    const known = shared.get(key)
    if (known === undefined) shared.set(key, list)
    return known ?? list
  }
  return new Map([...lists].map(([item, list]) => [item, sharedList(list)]))
}

const NOBODY: Clause = []

function clausesOf(place: number, holders: Holders, { contents, present }: ClosureInput): readonly Clause[] {
  const clauses = new Set<Clause>()
  for (const item of contents[place]!.borrowed)
    if (present[item] === 0) clauses.add(holders.get(item) ?? NOBODY)
  return [...clauses].filter((clause) => !clause.includes(place))
}

/** Follows what cannot be had from the target to the items that nobody holds. */
function lackingFor(
  target: number,
  isPossible: (place: number) => boolean,
  holders: Holders,
  { contents, present }: ClosureInput,
): readonly Lack[] {
  const lacking = new Map<number, Lack>()
  const seen = new Set([target])
  for (const place of seen) {
    const { borrowed, lenders } = contents[place]!
    borrowed.forEach((item, at) => {
      if (present[item] === 1) return
      const clause = holders.get(item) ?? NOBODY
      if (clause.length === 0) lacking.set(item, { item, lender: lenders[at]! })
      else if (!clause.some(isPossible)) for (const holder of clause) seen.add(holder)
    })
  }
  return [...lacking.values()]
}
