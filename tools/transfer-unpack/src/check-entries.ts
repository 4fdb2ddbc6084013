import { CarryallError } from '@carryall/errors'
import type { Volume, VolumeEntry } from '@carryall/schemas'
import type { Arriving } from './admit.ts'

/**
 * What a volume says of its entries has to agree with the metadata of the shipments, which alone is proven: known files of
 * carried shipments, their sizes and digests, parts inside them, each stored under a path of its own. Pure. Throws
 * VOLUME_INVALID (82).
 */
export function checkEntries(volume: Volume, arriving: ReadonlyMap<string, Arriving>): void {
  if (volume.number > volume.volumes)
    throw invalid(volume, `it is number ${volume.number} of ${volume.volumes}`)
  const stored = new Set<string>(volume.metadata.map((one) => one.stored))
  for (const entry of volume.entries) {
    if (stored.has(entry.stored)) throw invalid(volume, `${entry.stored} is named twice`)
    stored.add(entry.stored)
    const why = disagreement(entry, arriving.get(`${entry.chain}/${entry.shipment}`))
    if (why !== undefined) throw invalid(volume, `${entry.stored} ${why}`)
  }
}

function disagreement(entry: VolumeEntry, shipment: Arriving | undefined): string | undefined {
  if (shipment === undefined || !shipment.carried) return 'is of a shipment that the set does not carry'
  const file = shipment.metadata.files.find((one) => one.path === entry.path)
  if (file === undefined) return `is ${entry.path}, which ${entry.shipment} does not have`
  if (file.sha256 !== entry.sha256 || file.size_bytes !== entry.file_size_bytes)
    return `is another ${entry.path} than that of ${entry.shipment}`
  if (entry.part === undefined)
    return entry.size_bytes === file.size_bytes && entry.offset === undefined
      ? undefined
      : 'is not all of its file'
  if (entry.parts === undefined || entry.part > entry.parts)
    return `is part ${entry.part} of ${entry.parts ?? 'none'}`
  return (entry.offset ?? 0) + entry.size_bytes <= file.size_bytes
    ? undefined
    : 'reaches beyond the end of its file'
}

function invalid({ set, number }: Volume, why: string): CarryallError {
  return new CarryallError(
    'VOLUME_INVALID',
    `Volume ${number} of set ${set.slice(7, 15)} contradicts itself: ${why}`,
    {
      subject: { kind: 'volume', name: String(number), digest: set },
      hint: 'Nothing of it is taken in; have it made again: transfer-pack --volume N --force',
    },
  )
}
