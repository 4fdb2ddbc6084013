import { formatVolume, VOLUME_FILE, volumeDocument, volumeName, type MetadataFile } from '@carryall/media'
import type { TransferPlan, Volume, VolumeEntry } from '@carryall/schemas'
import { SUMS_FILE } from '@carryall/shipment'
import type { Encryptor } from '@carryall/trust'

/** A small file of a volume, whose bytes are known. */
export interface SmallFile {
  readonly stored: string
  readonly bytes: Buffer
  readonly encrypted: boolean
}

/** What one volume will be. */
export interface VolumeJob {
  readonly number: number
  /** Of its directory. */
  readonly name: string
  readonly document: Volume
  /** Under the names that they get here. */
  readonly entries: readonly VolumeEntry[]
  readonly metadata: readonly SmallFile[]
  readonly description: SmallFile
}

export interface JobOptions {
  readonly tool: Volume['tool']
  readonly metadata: readonly MetadataFile[]
  readonly encryptor?: Encryptor | undefined
  /** Metadata and document are encrypted as well, and no name says what it is of. */
  readonly encryptMetadata: boolean
}

/** What a volume of a plan will hold. Pure. */
export function volumeJob(plan: TransferPlan, number: number, options: JobOptions): VolumeJob {
  const { encryptor, encryptMetadata } = options
  const suffix = encryptor?.suffix ?? ''
  const hidden = encryptor !== undefined && encryptMetadata
  const metadata = options.metadata.map((file, index) => {
    const { bytes: _, ...listed } = file
    return { ...listed, stored: hidden ? opaque('metadata', index, suffix) : file.stored }
  })
  const planned = volumeDocument(plan, number, {
    tool: options.tool,
    metadata,
    ...(encryptor === undefined ? {} : { encryption: encryptor.format }),
  })
  const entries = planned.entries.map((entry, index) => ({
    ...entry,
    stored: hidden ? opaque('content', index, suffix) : `${entry.stored}${suffix}`,
  }))
  const document = { ...planned, entries }
  return {
    number,
    name: volumeName(plan.set, number),
    document,
    entries,
    metadata: metadata.map(({ stored }, index) => ({
      stored,
      bytes: options.metadata[index]!.bytes,
      encrypted: hidden,
    })),
    description: {
      stored: hidden ? `${VOLUME_FILE}${suffix}` : VOLUME_FILE,
      bytes: Buffer.from(formatVolume(document)),
      encrypted: hidden,
    },
  }
}

/** A file to be written, with the most bytes that it takes. */
export interface PlannedFile {
  readonly path: string
  readonly size: number
}

/** Every file that the volume will have, but its signatures. */
export function plannedFiles(job: VolumeJob, encryptor: Encryptor | undefined): readonly PlannedFile[] {
  const ciphertext = (size: number): number => size + (encryptor?.overhead(size) ?? 0)
  const small = [...job.metadata, job.description].map(({ stored, bytes, encrypted }) => ({
    path: stored,
    size: encrypted ? ciphertext(bytes.length) : bytes.length,
  }))
  const files = job.entries.map(({ stored, size_bytes }) => ({ path: stored, size: ciphertext(size_bytes) }))
  const sums = [...small, ...files].reduce((sum, { path }) => sum + 67 + Buffer.byteLength(path), 0)
  return [...small, ...files, { path: SUMS_FILE, size: sums }]
}

function opaque(folder: string, index: number, suffix: string): string {
  return `${folder}/${String(index + 1).padStart(6, '0')}${suffix}`
}
