/** Name of the document of a volume, at its top. */
export const VOLUME_FILE = 'volume.json'

/** Bytes that a detached signature of a volume takes at most, as planned. */
export const SIGNATURE_BYTES = 2048

export interface StoredPlace {
  readonly chain: string
  readonly shipment: string
  readonly path: string
  readonly sha256: string
  readonly part?: number | undefined
}

/**
 * Where a file, or a part of one, is on its volume: `<chain>/<shipment>/<path>`, or `parts/<half its sha256>/<part>`. `copy`
 * counts files in parts that are equal, from 1: their parts differ.
 */
export function storedPath({ chain, shipment, path, sha256, part }: StoredPlace, copy = 1): string {
  if (part === undefined) return `${chain}/${shipment}/${path}`
  const folder = sha256.slice(0, 32) + (copy === 1 ? '' : `-${copy}`)
  return `parts/${folder}/${String(part).padStart(4, '0')}`
}

/** Name of a volume's directory: `carryall-<8 hex digits of the set>-<number>`. */
export function volumeName(set: string, number: number): string {
  return `carryall-${set.replace(/^sha256:/, '').slice(0, 8)}-${String(number).padStart(3, '0')}`
}
