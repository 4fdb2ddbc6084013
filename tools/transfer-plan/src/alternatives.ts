import type { TransferPlan } from '@carryall/schemas'
import { candidates, carriedLoad, type Load } from './candidates.ts'
import type { Crossing } from './crossing.ts'

/**
 * What else could be carried, with its price. What the content directory does not have is left out. `planned` is how many
 * volumes the plan has, `volumesOf` says how many another load fills, 0 where it does not fit. Pure.
 */
export function alternatives(
  crossings: readonly Crossing[],
  planned: number,
  volumesOf: (load: Load) => number,
): TransferPlan['alternatives'] {
  if (crossings.length === 0) return []
  const chosen = namesOf(carriedLoad(crossings)).join()
  const known = new Map([[chosen, planned]])
  const volumesFor = (load: Load): number => {
    const key = namesOf(load).join()
    const volumes = known.get(key) ?? volumesOf(load)
    known.set(key, volumes)
    return volumes
  }
  return candidates(crossings).flatMap(({ name, tradeOff, load, apart }) => {
    if (load === undefined) return []
    const shipments = namesOf(load)
    const bytes = load.flatMap(({ members }) => members.map((member) => member.bytes))
    return [
      {
        name,
        shipments,
        size_bytes: bytes.reduce((sum, size) => sum + size, 0),
        volumes: apart ? apartVolumes(load, volumesOf) : volumesFor(load),
        trade_off: tradeOff,
        chosen: shipments.join() === chosen && (!apart || shipments.length === 1),
      },
    ]
  })
}

function apartVolumes(load: Load, volumesOf: (load: Load) => number): number {
  const volumes = load.flatMap(({ crossing, members }) =>
    members.map((member) => volumesOf([{ crossing, members: [member] }])),
  )
  return volumes.includes(0) ? 0 : volumes.reduce((sum, one) => sum + one, 0)
}

function namesOf(load: Load): string[] {
  return load.flatMap(({ crossing, members }) =>
    members.map((member) => `${crossing.chain.name}/${member.metadata.name}`),
  )
}
