import { toPrettyJson, type TransferPlan, type Volume, type VolumeEntry } from '@carryall/schemas'
import { crossing, formatVolume } from './volume-document.ts'
import { VOLUME_FILE } from './volume-layout.ts'

/** What all volumes of a set have in common. */
export interface VolumeFrame {
  readonly site?: string | undefined
  readonly chains: TransferPlan['chains']
  /** The same on every volume. */
  readonly metadata: Volume['metadata']
}

/** Nothing that a volume says of itself is longer. */
const LONGEST = {
  apiVersion: 'carryall/v1',
  kind: 'Volume',
  set: `sha256:${'0'.repeat(64)}`,
  number: 99_999,
  volumes: 99_999,
  encryption: 'openpgp',
  entries: [],
  tool: { name: 'transfer-pack', version: '000.000.000-pre.000' },
} as const
/** `<64 hex digits>  <path>\n` of SHA256SUMS. */
const SUM_BYTES = 67

/** Bytes of a volume's document and sums without entries, at most. */
export function frameBytes(frame: VolumeFrame): { readonly document: number; readonly sums: number } {
  const volume: Volume = {
    ...LONGEST,
    entries: [],
    ...(frame.site === undefined ? {} : { site: frame.site }),
    chains: frame.chains.map(crossing),
    metadata: frame.metadata,
  }
  // What closes the list of entries comes with the first of them.
  const document = Buffer.byteLength(formatVolume(volume)) + 2
  return { document, sums: sum([VOLUME_FILE, ...frame.metadata.map((file) => file.stored)].map(sumBytes)) }
}

/** What an entry adds to them. */
export function addedBytes(entry: VolumeEntry): { readonly document: number; readonly sums: number } {
  const text = toPrettyJson(entry)
  const lines = text.split('\n').length
  // Four blanks for each line, the newline before it, the comma behind it.
  return { document: Buffer.byteLength(text) + 4 * lines + 2, sums: sumBytes(entry.stored) }
}

function sumBytes(path: string): number {
  return SUM_BYTES + Buffer.byteLength(path)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
