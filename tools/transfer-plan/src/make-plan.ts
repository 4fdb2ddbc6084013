import { isCarryallError } from '@carryall/errors'
import { packVolumes, type PackFile, type VolumeFrame } from '@carryall/media'
import {
  API_VERSION,
  toJson,
  type Medium,
  type PlannedVolume,
  type TransferPlan,
  type Volume,
} from '@carryall/schemas'
import { digestOf } from '@carryall/shipment'
import { alternatives } from './alternatives.ts'
import { carriedLoad, type Load } from './candidates.ts'
import { linkOf, type Chain, type Member } from './chain.ts'
import type { Crossing } from './crossing.ts'

export interface PlanInput {
  readonly site: string | undefined
  readonly basis: TransferPlan['basis']
  /** In the order in which they are packed. */
  readonly crossings: readonly Crossing[]
  /** Chains of which nothing has to cross. */
  readonly current: readonly Chain[]
  /** Metadata, sums and signatures of all shipments that cross. */
  readonly metadata: Volume['metadata']
  readonly media: readonly Medium[]
  /** Bytes per second. */
  readonly rate: number | undefined
}

/**
 * The plan: what crosses, in which order, on which volumes, and what else could be done. The same input gives the same
 * plan; there is no time in it. Pure. Throws MEDIA_TOO_SMALL, MEDIA_NAME_REFUSED (73).
 */
export function makePlan(input: PlanInput): TransferPlan {
  const { site, basis, crossings, current, metadata, media, rate } = input
  const chains = crossings.map(chainDocument)
  const frame: VolumeFrame = { site, chains, metadata }
  const carried = carriedLoad(crossings)
  const files = filesOf(carried)
  const volumes = packVolumes(files, media, frame).map((volume) => timed(volume, rate))
  return {
    apiVersion: API_VERSION,
    kind: 'TransferPlan',
    set: setDigest(site, chains, volumes),
    ...(site === undefined ? {} : { site }),
    basis,
    chains,
    ...(current.length === 0 ? {} : { current: current.map(currentChain) }),
    alternatives: alternatives(crossings, volumes.length, volumeCounter(media, frame)),
    media: [...media],
    volumes,
    totals: {
      shipments: carried.reduce((sum, { members }) => sum + members.length, 0),
      files: files.length,
      size_bytes: files.reduce((sum, file) => sum + file.size_bytes, 0),
      volumes: volumes.length,
      ...(rate === undefined
        ? {}
        : { seconds: volumes.reduce((sum, volume) => sum + (volume.seconds ?? 0), 0) }),
    },
  }
}

function chainDocument({ chain, from, shipments, present }: Crossing): TransferPlan['chains'][number] {
  const { id, name, target } = currentChain(chain)
  return {
    id,
    name,
    ...(from === undefined ? {} : { from }),
    target,
    directory: chain.directory,
    shipments: shipments.map(({ member, carried, reason }) => ({
      ...linkOf(member),
      name: member.metadata.name,
      metadata_file: member.metadataFile,
      carried,
      size_bytes: member.bytes,
      ...(member.here ? {} : { directory: member.directory }),
      reason,
    })),
    present: present.map(named),
  }
}

function currentChain({ id, name, members, target }: Chain): NonNullable<TransferPlan['current']>[number] {
  return { id, name, target: named(members[target]!) }
}

function named(member: Member) {
  return { ...linkOf(member), name: member.metadata.name }
}

function filesOf(load: Load): readonly PackFile[] {
  return load.flatMap(({ crossing, members }) =>
    members.flatMap(({ metadata }) =>
      metadata.files.map((file) => ({ chain: crossing.chain.name, shipment: metadata.name, ...file })),
    ),
  )
}

function timed(volume: PlannedVolume, rate: number | undefined): PlannedVolume {
  const { number, medium, used_bytes, entries } = volume
  if (rate === undefined) return { number, medium, used_bytes, entries }
  return { number, medium, used_bytes, seconds: Math.ceil(used_bytes / rate), entries }
}

/** The set is what comes out of the volumes, and how it is spread over them; not where it came from. */
function setDigest(
  site: string | undefined,
  chains: TransferPlan['chains'],
  volumes: readonly PlannedVolume[],
): string {
  const content = chains.map(({ id, name, from, target, shipments }) => ({
    ...{ id, name, from, target },
    shipments: shipments.map(({ metadata_digest, carried }) => ({ metadata_digest, carried })),
  }))
  return digestOf(toJson({ site, content, volumes: volumes.map(({ entries }) => entries) }))
}

/** How many volumes a load fills; 0 where it does not fit. A single shipment is counted with its own metadata alone. */
function volumeCounter(media: readonly Medium[], frame: VolumeFrame): (load: Load) => number {
  const metadata = Map.groupBy(frame.metadata, ({ chain, shipment }): string => `${chain}/${shipment}`)
  const alone = new Map<string, TransferPlan['chains'][number]>(
    frame.chains.flatMap((chain) =>
      chain.shipments.map((one) => [`${chain.name}/${one.name}`, { ...chain, shipments: [one] }]),
    ),
  )
  const frameOf = (load: Load): VolumeFrame => {
    const only = load.length === 1 && load[0]!.members.length === 1 ? load[0] : undefined
    if (only === undefined) return frame
    const key = `${only.crossing.chain.name}/${only.members[0]!.metadata.name}`
    const chain = alone.get(key)
    return { site: frame.site, chains: chain === undefined ? [] : [chain], metadata: metadata.get(key) ?? [] }
  }
  return (load) => {
    try {
      return packVolumes(filesOf(load), media, frameOf(load)).length
    } catch (error) {
      if (isCarryallError(error, 'MEDIA_TOO_SMALL', 'MEDIA_NAME_REFUSED')) return 0
      throw error
    }
  }
}
