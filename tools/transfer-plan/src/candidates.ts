import type { Chain, Member } from './chain.ts'
import type { Crossing } from './crossing.ts'
import { suffices } from './suffices.ts'

/** Shipments to carry, chain by chain. */
export type Load = readonly { readonly crossing: Crossing; readonly members: readonly Member[] }[]

/** A way to supply a site. */
export interface Candidate {
  readonly name: string
  readonly tradeOff: string
  /** Undefined where a chain has no such thing. */
  readonly load: Load | undefined
  /** Each shipment on media of its own. */
  readonly apart?: true
}

/**
 * The ways to supply a site, by name: the difference that a plan takes, all since the last baseline, a complete shipment
 * alone, and the three ways of carrying sequences by hand, which look at no receipt. Pure.
 */
export function candidates(crossings: readonly Crossing[]): readonly Candidate[] {
  const baselines = crossings.map(({ chain }) => baselineOf(chain))
  const firsts = crossings.map(({ chain }) => firstOf(chain))
  const since = loadOf(crossings, ({ chain }) => {
    const from = baselineOf(chain)
    return from === undefined ? [] : through(chain).slice(through(chain).indexOf(from))
  })
  const all = loadOf(crossings, ({ chain }) => chain.members.filter((member) => member.here))
  const relied = crossings.flatMap(({ present }) => present.map((member) => member.metadata.name))
  return [
    {
      name: 'difference',
      tradeOff:
        relied.length === 0
          ? 'Least to carry; relies on nothing at the site'
          : `Least to carry; relies on ${list(relied)} being complete at the site`,
      load: carriedLoad(crossings),
    },
    {
      name: 'cumulative',
      tradeOff: `All from the last baseline through the target: ${reliance(since)}, carries again what is there`,
      load: since,
    },
    {
      name: 'self-contained',
      tradeOff: `The newest complete shipment alone: relies on nothing at the site, ${arrival(crossings, baselines)}`,
      load: loadOf(crossings, ({ chain }) => present(baselineOf(chain))),
    },
    {
      name: 'complete-baseline',
      tradeOff: `Number 1 alone, as for a first trip: ${arrival(crossings, firsts)}`,
      load: loadOf(crossings, ({ chain }) => present(firstOf(chain))),
    },
    {
      name: 'cumulative-all',
      tradeOff: `Everything in the content directory in one go: ${reliance(all)}, and there is more on every trip`,
      load: all,
    },
    {
      name: 'sequence-by-sequence',
      tradeOff:
        'Each shipment through the target on media of its own: the newest is of use only once all have arrived',
      load: loadOf(crossings, ({ chain }) => through(chain)),
      apart: true,
    },
  ]
}

/** What the plan itself carries. */
export function carriedLoad(crossings: readonly Crossing[]): Load {
  return crossings.map((crossing) => ({
    crossing,
    members: crossing.shipments.filter((one) => one.carried).map((one) => one.member),
  }))
}

/** Undefined where a chain has nothing of the kind. */
function loadOf(
  crossings: readonly Crossing[],
  membersOf: (crossing: Crossing) => readonly Member[],
): Load | undefined {
  const load = crossings.map((crossing) => ({ crossing, members: membersOf(crossing) }))
  return load.every(({ members }) => members.length > 0) ? load : undefined
}

/** What is here of the shipments through the target. */
function through({ members, target }: Chain): readonly Member[] {
  return members.slice(0, target + 1).filter((member) => member.here)
}

/** The newest complete shipment at or before the target. */
function baselineOf(chain: Chain): Member | undefined {
  return through(chain).findLast((member) => member.metadata.complete)
}

function firstOf(chain: Chain): Member | undefined {
  return through(chain).find((member) => member.metadata.sequence_number === 1)
}

function present(member: Member | undefined): readonly Member[] {
  return member === undefined ? [] : [member]
}

function reliance(load: Load | undefined): string {
  const enough = load?.every(({ crossing: { chain, contents }, members }) =>
    suffices(
      members.map((member) => chain.members.indexOf(member)),
      contents,
      chain.target,
    ),
  )
  return enough ? 'relies on nothing at the site' : 'relies on older ones at the site all the same'
}

function arrival(crossings: readonly Crossing[], reached: readonly (Member | undefined)[]): string {
  const short = crossings.flatMap(({ chain }, at) => {
    const [there, wanted] = [reached[at]?.metadata, chain.members[chain.target]!.metadata]
    return there === undefined || there.sequence_number === wanted.sequence_number
      ? []
      : [`number ${there.sequence_number} of ${chain.name} and not at ${wanted.sequence_number}`]
  })
  return short.length === 0 ? 'and it is the target' : `arrives at ${list(short)}`
}

function list(names: readonly string[]): string {
  return names.length < 4 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}
