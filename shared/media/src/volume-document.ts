import { CarryallError } from '@carryall/errors'
import { API_VERSION, toPrettyJson, type TransferPlan, type Volume } from '@carryall/schemas'

export interface VolumeAbout {
  readonly tool: Volume['tool']
  readonly metadata: Volume['metadata']
  readonly encryption?: Volume['encryption']
}

/** The document of one volume of a plan. Throws USAGE_BAD_VALUE where the plan has no volume of this number. */
export function volumeDocument(plan: TransferPlan, number: number, about: VolumeAbout): Volume {
  const planned = plan.volumes.find((volume) => volume.number === number)
  if (planned === undefined) {
    throw new CarryallError('USAGE_BAD_VALUE', `The plan has no volume ${number}`, {
      expected: `1 to ${plan.volumes.length}`,
      actual: number,
    })
  }
  return {
    apiVersion: API_VERSION,
    kind: 'Volume',
    set: plan.set,
    number,
    volumes: plan.volumes.length,
    ...(plan.site === undefined ? {} : { site: plan.site }),
    ...(about.encryption === undefined ? {} : { encryption: about.encryption }),
    chains: plan.chains.map(crossing),
    metadata: about.metadata,
    entries: planned.entries,
    tool: about.tool,
  }
}

/** A volume's file, byte for byte. */
export function formatVolume(volume: Volume): string {
  return `${toPrettyJson(volume)}\n`
}

/** What a volume tells of a chain in a plan. */
export function crossing(chain: TransferPlan['chains'][number]): Volume['chains'][number] {
  const { id, name, from, target, shipments } = chain
  return {
    id,
    name,
    ...(from === undefined ? {} : { from }),
    target,
    shipments: shipments.map((shipment) => {
      const { reason: _, directory: __, ...crosses } = shipment
      return crosses
    }),
  }
}
