import type { Medium, VolumeEntry } from '@carryall/schemas'
import { SUMS_FILE } from '@carryall/shipment'
import { addedBytes, frameBytes, type VolumeFrame } from './text-bytes.ts'
import { SIGNATURE_BYTES, VOLUME_FILE } from './volume-layout.ts'
import { VolumeRoom } from './volume-room.ts'

/** Of the largest file, what encryption may add to it: age takes 16 bytes for each 64 KiB, OpenPGP less. */
const CIPHER_ROOM = 4 * 2 ** 20
const SIGNATURE_FILE = `${SUMS_FILE}.${'0'.repeat(40)}.asc`

/** A volume that is being planned: what is in it, and what it takes, everything counted. */
export class OpenVolume {
  readonly medium: Medium
  readonly entries: VolumeEntry[] = []
  readonly #room: VolumeRoom
  /** Bytes of `volume.json` and of `SHA256SUMS`; in `#room` these are empty. */
  #document: number
  #sums: number

  private constructor(room: VolumeRoom, medium: Medium, bytes: { document: number; sums: number }) {
    this.medium = medium
    this.#room = room
    this.#document = bytes.document
    this.#sums = bytes.sums
  }

  /** One without entries. */
  static empty(medium: Medium, frame: VolumeFrame): OpenVolume {
    const room = new VolumeRoom(medium)
    for (const file of frame.metadata) room.add(file.stored, file.size_bytes)
    for (const name of [VOLUME_FILE, SUMS_FILE]) room.add(name, 0)
    room.add(SIGNATURE_FILE, SIGNATURE_BYTES)
    return new OpenVolume(room, medium, frameBytes(frame))
  }

  /** Another one, of what is in this one now. */
  copy(): OpenVolume {
    const copy = new OpenVolume(new VolumeRoom(this.medium, this.#room), this.medium, {
      document: this.#document,
      sums: this.#sums,
    })
    copy.entries.push(...this.entries)
    return copy
  }

  /** Bytes of its medium that it takes. */
  get used(): number {
    return this.#room.bytes + this.#textBytes(0, 0)
  }

  get free(): number {
    return (this.medium.capacity_bytes ?? Infinity) - this.used
  }

  /** The largest file that its file system takes, encrypted or not. */
  get maxFileBytes(): number {
    return this.#room.system.maxFileBytes - CIPHER_ROOM
  }

  fits(entry: VolumeEntry): boolean {
    if (entry.size_bytes > Math.min(this.maxFileBytes, this.free)) return false
    const need = this.#room.need(entry.stored, entry.size_bytes)
    if (need === undefined || this.#room.files + need.files > (this.medium.max_files ?? Infinity))
      return false
    const { document, sums } = addedBytes(entry)
    const bytes = this.#room.bytes + need.bytes + this.#textBytes(document, sums)
    return bytes <= (this.medium.capacity_bytes ?? Infinity)
  }

  /** Of the bytes of this entry, how many fit, in whole clusters where not all do. */
  largest(entry: VolumeEntry): number {
    if (this.fits(entry)) return entry.size_bytes
    const { cluster } = this.#room
    let least = 0
    let most = Math.ceil(Math.min(entry.size_bytes, this.maxFileBytes, Math.max(0, this.free)) / cluster)
    // So many clusters fit, and one more than `most` does not.
    while (least < most) {
      const middle = Math.ceil((least + most) / 2)
      const size = Math.min(middle * cluster, entry.size_bytes)
      if (this.fits({ ...entry, size_bytes: size })) least = middle
      else most = middle - 1
    }
    return Math.min(least * cluster, entry.size_bytes)
  }

  add(entry: VolumeEntry): void {
    this.#room.add(entry.stored, entry.size_bytes)
    const { document, sums } = addedBytes(entry)
    this.#document += document
    this.#sums += sums
    this.entries.push(entry)
  }

  #textBytes(document: number, sums: number): number {
    const { system, cluster } = this.#room
    const bytes = (size: number): number => system.fileBytes(size, cluster) - system.fileBytes(0, cluster)
    return bytes(this.#document + document) + bytes(this.#sums + sums)
  }
}
