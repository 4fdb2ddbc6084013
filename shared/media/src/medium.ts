import { CarryallError } from '@carryall/errors'
import type { FileSystemName, Medium } from '@carryall/schemas'
import { parseBytes } from '@carryall/schemas/bytes'
import { fileSystem } from './file-system.ts'
import { MIB, TIB } from './sizes.ts'

export interface MediumOptions {
  /** Instead of the one that is usual for the medium. */
  readonly filesystem?: FileSystemName
  /** Bytes of each medium to leave alone. */
  readonly reserveBytes: number
}

interface Kind {
  /** Undefined: no limit. */
  readonly bytes: number | undefined
  readonly filesystem: FileSystemName
}

const DISCS: Readonly<Record<string, Kind>> = {
  // The smaller of DVD+R and DVD-R, so that either will do.
  dvd: { bytes: 4_700_372_992, filesystem: 'udf' },
  bd25: { bytes: 25_025_314_816, filesystem: 'udf' },
  bd50: { bytes: 50_050_629_632, filesystem: 'udf' },
  unlimited: { bytes: undefined, filesystem: 'plain' },
}
const WANTED =
  'dvd, bd25, bd50, usb:SIZE, SIZE, unlimited or dir:PATH, with sizes such as 64GB (10^9) or 8GiB (2^30)'
/** Of a stick, before and behind the partition. */
const PARTITION_BYTES = 2 * MIB

/**
 * A medium as people name it: `dvd`, `bd25`, `bd50`, `usb:SIZE`, `SIZE`, `unlimited`, or `dir:PATH`, which is for
 * `mediumOfDirectory`. Discs have UDF, sticks exFAT, the rest none in particular. Throws USAGE_BAD_VALUE.
 */
export function parseMedium(text: string, options: MediumOptions): Medium | { readonly directory: string } {
  const directory = /^dir:(.+)$/s.exec(text)?.[1]
  if (directory !== undefined) return { directory }
  const kind = DISCS[text] ?? sized(text)
  if (kind === undefined) {
    throw new CarryallError('USAGE_BAD_VALUE', `Cannot use "${text}" as a medium: ${WANTED} is wanted`, {
      expected: WANTED,
      actual: text,
    })
  }
  const system = fileSystem(options.filesystem ?? kind.filesystem)
  // Without a limit the clusters are those of a large one.
  const bytes = kind.bytes ?? TIB
  const maxFiles = system.maxFiles(bytes)
  return {
    name: text,
    ...(kind.bytes === undefined
      ? {}
      : { capacity_bytes: Math.max(0, bytes - system.overheadBytes(bytes) - options.reserveBytes) }),
    filesystem: system.name,
    cluster_bytes: system.clusterBytes(bytes),
    ...(kind.bytes === undefined || maxFiles === Infinity ? {} : { max_files: maxFiles }),
  }
}

function sized(text: string): Kind | undefined {
  const stick = text.startsWith('usb:')
  const bytes = parseBytes(stick ? text.slice('usb:'.length) : text)
  if (bytes === undefined || bytes === 0) return undefined
  return stick
    ? { bytes: Math.max(0, bytes - PARTITION_BYTES), filesystem: 'exfat' }
    : { bytes, filesystem: 'plain' }
}
