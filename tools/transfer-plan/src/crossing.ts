import { CarryallError } from '@carryall/errors'
import type { Catalogue, Content } from './catalogue.ts'
import type { Chain, Link, Member } from './chain.ts'
import { closure } from './closure.ts'
import { firstPlace } from './first-place.ts'
import { incomplete } from './incomplete.ts'
import { proven, type Proven } from './proven.ts'
import { reasonFor } from './reason.ts'
import type { Standing } from './standing.ts'
import { together } from './together.ts'
import { usesOf } from './uses.ts'

/** What has to cross of a chain, and why. */
export interface Crossing {
  readonly chain: Chain
  /** Of its members. */
  readonly contents: readonly Content[]
  /** Newest shipment that the site knows. */
  readonly from: Link | undefined
  /** By number, without a gap, the target last. */
  readonly shipments: readonly {
    readonly member: Member
    readonly carried: boolean
    readonly reason: string
  }[]
  /** What the site has to have for it. */
  readonly present: readonly Member[]
  /** False where fewer bytes may be possible. */
  readonly exact: boolean
}

export interface CrossingInput {
  readonly chain: Chain
  /** One for each member of the chain. */
  readonly contents: readonly Content[]
  readonly catalogue: Catalogue
  readonly standing: Standing
  readonly site: string | undefined
}

/**
 * What has to cross so that the target of a chain, which is not, becomes complete at the site. With the
 * metadata alone go the shipments between what the site knows and the target, and those between what is carried: a site
 * takes no set with a gap. Pure. Throws SEQ_INCOMPLETE (83) with one error for each shipment that lacks, SEQ_WRONG_SITE,
 * SEQ_GAP (81).
 */
export function cross(input: CrossingInput): Crossing {
  const { chain, contents, catalogue, standing } = input
  const { members, target } = chain
  const complete = members.flatMap((one, place) => (standing.complete.has(one.metadataDigest) ? [place] : []))
  const there = proven(contents, complete, catalogue.size)
  const usable = members.map((member, place) => member.here && place <= target)
  const found = closure({
    contents,
    bytes: members.map((member) => member.bytes),
    usable,
    present: there.items,
    target,
  })
  if (found.lacking !== undefined) throw together(incomplete(chain, catalogue, found.lacking))
  const { chosen, exact } = found
  for (const place of chosen) refuseOtherSite(members[place]!, input.site)
  const carried = new Set(chosen)
  const uses = usesOf(chosen, contents, usable, there.items, catalogue)
  const names = (places: readonly number[]): readonly string[] =>
    places.map((place) => members[place]!.metadata.name)
  const first = firstPlace(chain, standing.head, chosen[0]!)
  return {
    chain,
    contents,
    from: standing.head,
    shipments: members.slice(first, target + 1).map((member, index) => {
      const place = first + index
      const use = uses.get(place)
      return {
        member,
        carried: carried.has(place),
        reason: reasonFor({
          isTarget: place === target,
          isCarried: carried.has(place),
          use: use && { ...use, users: names(use.users) },
          site: input.site,
        }),
      }
    }),
    present: relied(chosen, contents, there).map((place) => members[place]!),
    exact,
  }
}

/** The shipments by which it is known that the site has what the chosen ones do not bring along: newest first while they add anything. */
function relied(chosen: readonly number[], contents: readonly Content[], there: Proven): readonly number[] {
  const open = new Set(
    chosen.flatMap((place) => [...contents[place]!.borrowed].filter((item) => there.items[item] === 1)),
  )
  return [...there.shipments]
    .sort((a, b) => b - a)
    .filter((place) => {
      const before = open.size
      for (const items of [contents[place]!.held, contents[place]!.borrowed])
        for (const item of items) open.delete(item)
      return open.size < before
    })
    .sort((a, b) => a - b)
}

function refuseOtherSite({ metadata }: Member, site: string | undefined): void {
  if (site === undefined || metadata.site === undefined || metadata.site.includes(site)) return
  throw new CarryallError(
    'SEQ_WRONG_SITE',
    `${metadata.name} is for ${metadata.site.join(', ')}, not for ${site}`,
    {
      subject: { kind: 'shipment', name: metadata.name },
      expected: site,
      actual: metadata.site.join(', '),
      hint: 'Choose as --target what was made for this site, or correct --site',
    },
  )
}
