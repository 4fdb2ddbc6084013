import { CarryallError } from '@carryall/errors'
import type { Medium, PlannedVolume, VolumeEntry } from '@carryall/schemas'
import { byByte } from '@carryall/shipment'
import { checkNames } from './check-names.ts'
import { fileSystem } from './file-system.ts'
import { OpenVolume } from './open-volume.ts'
import type { VolumeFrame } from './text-bytes.ts'
import { storedPath } from './volume-layout.ts'

/** A file of a shipment that has to cross. */
export interface PackFile {
  /** Names of its chain and its shipment. */
  readonly chain: string
  readonly shipment: string
  readonly path: string
  readonly size_bytes: number
  readonly sha256: string
}

/** The rest of a volume is not used for a part that is smaller. */
const MIN_PART = 2 ** 20
/** As long as any number of parts that is to be expected. */
const UNKNOWN_PARTS = 9999

/**
 * Puts files on volumes: those of one shipment after those of another, in the order given, so that early volumes are
 * useful alone; within a shipment the largest first, each on the first volume where it fits. A file that is larger than an
 * empty volume, or than its file system allows, fills the rest of the last volume, then whole ones. Of `media` each is used
 * once, in order, and the last one as often as needed. Everything is counted: clusters, names, directories, metadata,
 * `volume.json`, `SHA256SUMS`, a signature. Pure: the same input gives the same volumes. No files and no metadata: none.
 *
 * Throws MEDIA_TOO_SMALL (73) where an empty volume has no room, MEDIA_NAME_REFUSED (73) for a name that one of the file
 * systems cannot hold.
 */
export function packVolumes(
  files: readonly PackFile[],
  media: readonly Medium[],
  frame: VolumeFrame,
): PlannedVolume[] {
  if (files.length === 0 && frame.metadata.length === 0) return []
  const paths = [...frame.metadata.map((file) => file.stored), ...files.map((file) => storedPath(file))]
  for (const name of new Set(media.map((medium) => medium.filesystem))) checkNames(paths, fileSystem(name))
  const packing = new Packing(media, frame)
  for (const shipment of byShipment(files)) for (const file of shipment) packing.place(file)
  return packing.close()
}

/** The volumes that are open, and the empty ones that come next. */
class Packing {
  readonly #media: readonly Medium[]
  readonly #frame: VolumeFrame
  readonly #open: OpenVolume[] = []
  readonly #empty = new Map<Medium, OpenVolume>()
  /** How many files with this content went into parts. */
  readonly #copies = new Map<string, number>()

  constructor(media: readonly Medium[], frame: VolumeFrame) {
    this.#media = media
    this.#frame = frame
  }

  place(file: PackFile): void {
    const entry = wholeEntry(file)
    const volume = this.#open.find((candidate) => candidate.fits(entry))
    if (volume !== undefined) volume.add(entry)
    else if (this.#next().fits(entry)) this.#openNext().add(entry)
    else if (file.size_bytes > 0) this.#split(file)
    else throw tooSmall(this.#next().medium, this.#next().used)
  }

  close(): PlannedVolume[] {
    if (this.#open.length === 0) this.#openNext()
    return this.#open.map((volume, index) => ({
      number: index + 1,
      medium: volume.medium,
      used_bytes: volume.used,
      entries: volume.entries,
    }))
  }

  #split(file: PackFile): void {
    const copy = (this.#copies.get(file.sha256) ?? 0) + 1
    this.#copies.set(file.sha256, copy)
    const parts: { volume: OpenVolume; entry: VolumeEntry }[] = []
    for (let offset = 0; offset < file.size_bytes;) {
      const part = parts.length + 1
      const rest = file.size_bytes - offset
      const entry = partEntry(file, { part, offset, rest, copy })
      let volume = this.#open.at(-1)
      let size = volume?.largest(entry) ?? 0
      if (volume === undefined || size < Math.min(rest, MIN_PART)) {
        volume = this.#openNext()
        size = volume.largest(entry)
      }
      if (size === 0) throw tooSmall(volume.medium, volume.used)
      const sized = { ...entry, size_bytes: size }
      volume.add(sized)
      parts.push({ volume, entry: sized })
      offset += size
    }
    for (const { volume, entry } of parts)
      volume.entries[volume.entries.indexOf(entry)] = { ...entry, parts: parts.length }
  }

  /** An empty volume of the medium that comes next. */
  #next(): OpenVolume {
    const medium = this.#media[Math.min(this.#open.length, this.#media.length - 1)]
    if (medium === undefined) throw new RangeError('No medium was given')
    const known = this.#empty.get(medium)
    if (known !== undefined) return known
    const empty = OpenVolume.empty(medium, this.#frame)
    if (empty.free < 0) throw tooSmall(medium, empty.used)
    this.#empty.set(medium, empty)
    return empty
  }

  #openNext(): OpenVolume {
    const volume = this.#next().copy()
    this.#open.push(volume)
    return volume
  }
}

/** Keys in the order in which they are printed. */
function wholeEntry(file: PackFile): VolumeEntry {
  const { chain, shipment, path, size_bytes, sha256 } = file
  return { chain, shipment, path, file_size_bytes: size_bytes, sha256, size_bytes, stored: storedPath(file) }
}

function partEntry(
  file: PackFile,
  { part, offset, rest, copy }: Readonly<Record<'part' | 'offset' | 'rest' | 'copy', number>>,
): VolumeEntry {
  const { chain, shipment, path, size_bytes, sha256 } = file
  return {
    ...{ chain, shipment, path, file_size_bytes: size_bytes, sha256 },
    ...{ offset, size_bytes: rest, part, parts: UNKNOWN_PARTS },
    stored: storedPath({ ...file, part }, copy),
  }
}

function byShipment(files: readonly PackFile[]): readonly (readonly PackFile[])[] {
  const groups = new Map<string, PackFile[]>()
  for (const file of files) {
    const key = `${file.chain}/${file.shipment}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [file])
    else group.push(file)
  }
  return [...groups.values()].map((group) =>
    group.toSorted((a, b) => b.size_bytes - a.size_bytes || byByte(a.path, b.path)),
  )
}

function tooSmall(medium: Medium, used: number): CarryallError {
  return new CarryallError(
    'MEDIA_TOO_SMALL',
    `A volume on ${medium.name} has no room: metadata alone takes ${used} of ${medium.capacity_bytes ?? 0} bytes`,
    {
      hint: 'Use larger media, or reserve less',
      subject: { kind: 'volume', name: medium.name },
      expected: used,
      actual: medium.capacity_bytes ?? 0,
    },
  )
}
