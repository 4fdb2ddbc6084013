import type { TransferPlan } from '@carryall/schemas'
import type { Member } from './chain.ts'
import type { Crossing } from './crossing.ts'

export type Alternative = TransferPlan['alternatives'][number]

/** Shipments to carry, chain by chain. */
export type Load = readonly { readonly crossing: Crossing; readonly members: readonly Member[] }[]

interface Candidate {
  readonly name: string
  readonly tradeOff: string
  /** Undefined where a chain has no such thing. */
  readonly load: Load | undefined
  /** Each shipment on media of its own. */
  readonly apart?: true
}

/**
 * What else could be carried, with its price: the difference that the plan takes, all since the last baseline, a complete
 * shipment alone, and the three ways of carrying sequences by hand. What the content directory does not have is left out.
 * `planned` is how many volumes the plan has, `volumesOf` says how many another load fills, 0 where it does not fit. Pure.
 */
export function alternatives(
  crossings: readonly Crossing[],
  planned: number,
  volumesOf: (load: Load) => number,
): readonly Alternative[] {
  if (crossings.length === 0) return []
  const chosen = namesOf(each(crossings, carriedOf)!)
  const known = new Map([[chosen.join(), planned]])
  const volumesFor = (load: Load): number => {
    const key = namesOf(load).join()
    const volumes = known.get(key) ?? volumesOf(load)
    known.set(key, volumes)
    return volumes
  }
  return candidates(crossings).flatMap(({ name, tradeOff, load, apart }) => {
    if (load === undefined) return []
    const shipments = namesOf(load)
    const all = load.flatMap(({ members }) => members)
    return [
      {
        name,
        shipments,
        size_bytes: all.reduce((sum, member) => sum + member.bytes, 0),
        volumes: apart ? apartVolumes(load, volumesFor) : volumesFor(load),
        trade_off: tradeOff,
        chosen: shipments.join() === chosen.join(),
      },
    ]
  })
}

function candidates(crossings: readonly Crossing[]): readonly Candidate[] {
  const through = each(crossings, ({ chain }) => chain.members.slice(0, chain.target + 1))
  const relied = crossings.flatMap(({ present }) => present.map((member) => member.metadata.name))
  const baselines = crossings.map((crossing) => baselineOf(crossing))
  return [
    {
      name: 'difference',
      tradeOff:
        relied.length === 0
          ? 'Least to carry; relies on nothing at the site'
          : `Least to carry; relies on ${list(relied)} being complete at the site`,
      load: each(crossings, carriedOf),
    },
    {
      name: 'cumulative',
      tradeOff:
        'From the last baseline through the target: relies on nothing at the site, carries again what is there',
      load: each(crossings, (crossing) => {
        const from = baselineOf(crossing)
        return from === undefined
          ? []
          : crossing.chain.members.slice(crossing.chain.members.indexOf(from), crossing.chain.target + 1)
      }),
    },
    {
      name: 'self-contained',
      tradeOff: `The newest complete shipment alone: relies on nothing at the site, ${arrival(crossings, baselines)}`,
      load: each(crossings, (crossing) => [baselineOf(crossing)].filter((one) => one !== undefined)),
    },
    {
      name: 'complete-baseline',
      tradeOff: `Number 1 alone, as for a first trip: ${arrival(crossings, crossings.map(firstOf))}`,
      load: each(crossings, (crossing) => [firstOf(crossing)].filter((one) => one !== undefined)),
    },
    {
      name: 'cumulative-all',
      tradeOff: 'Everything in the content directory in one go: always enough, and more on every trip',
      load: each(crossings, ({ chain }) => chain.members),
    },
    {
      name: 'sequence-by-sequence',
      tradeOff:
        'Each shipment through the target on media of its own: nothing is of use until all have arrived',
      load: through,
      apart: true,
    },
  ]
}

/** A load of what `membersOf` gives for each chain; undefined where that is nothing for one, or something whose files are not here. */
function each(
  crossings: readonly Crossing[],
  membersOf: (crossing: Crossing) => readonly Member[],
): Load | undefined {
  const load = crossings.map((crossing) => ({ crossing, members: membersOf(crossing) }))
  return load.every(({ members }) => members.length > 0 && members.every((member) => member.here))
    ? load
    : undefined
}

function carriedOf({ shipments }: Crossing): readonly Member[] {
  return shipments.filter((one) => one.carried).map((one) => one.member)
}

/** The newest complete shipment at or before the target. */
function baselineOf({ chain }: Crossing): Member | undefined {
  return chain.members.slice(0, chain.target + 1).findLast((member) => member.metadata.complete)
}

function firstOf({ chain }: Crossing): Member | undefined {
  return chain.members[0]!.metadata.sequence_number === 1 ? chain.members[0] : undefined
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

function apartVolumes(load: Load, volumesOf: (load: Load) => number): number {
  const each = load.flatMap(({ crossing, members }) =>
    members.map((member) => volumesOf([{ crossing, members: [member] }])),
  )
  return each.includes(0) ? 0 : each.reduce((sum, volumes) => sum + volumes, 0)
}

function namesOf(load: Load): string[] {
  return load.flatMap(({ crossing, members }) =>
    members.map((member) => `${crossing.chain.name}/${member.metadata.name}`),
  )
}

function list(names: readonly string[]): string {
  return names.length < 4 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}
