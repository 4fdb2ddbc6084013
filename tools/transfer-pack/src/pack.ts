import type { Log, Progress, Result } from '@carryall/cli'
import type { Volume } from '@carryall/schemas'
import { digestOf } from '@carryall/shipment'
import type { Encryptor, Signer } from '@carryall/trust'
import type { Sources } from './open-sources.ts'
import type { Limiter } from './rate-limit.ts'
import type { VolumeJob } from './volume-job.ts'

/** What writing volumes needs, in whatever form. */
export interface PackOptions {
  readonly jobs: readonly VolumeJob[]
  readonly sources: Sources
  /** Volumes of the plan, for people. */
  readonly total: number
  readonly link: 'reflink' | 'hard' | 'never'
  readonly encryptor?: Encryptor | undefined
  readonly signers: readonly Signer[]
  readonly verifyMedia: boolean
  readonly force: boolean
  readonly limiter: Limiter
  readonly progress: Progress
  readonly log: Log
  readonly signal: AbortSignal
}

/** A volume with what came of it. */
export interface PackedVolume {
  readonly document: Volume
  readonly result: Result
}

/** The outcome of a volume: where it is, and the digest of its `SHA256SUMS` where that is known. */
export function packed(
  document: Volume,
  about: {
    readonly changed: boolean
    readonly directory?: string
    readonly file?: string
    readonly sums?: Buffer
  },
): PackedVolume {
  const { sums, ...place } = about
  const result = {
    ok: true,
    ...place,
    bytes: payloadBytes(document),
    ...(sums === undefined ? {} : { sums_digest: digestOf(sums) }),
  }
  return { document, result }
}

/** The title of the phase in which a volume is worked on. */
export function phaseTitle(action: string, job: VolumeJob, { total }: Pick<PackOptions, 'total'>): string {
  return `${action} volume ${job.number} of ${total}`
}

/** Bytes of the files that a volume carries. */
export function payloadBytes(volume: Pick<VolumeJob, 'entries'>): number {
  return volume.entries.reduce((sum, entry) => sum + entry.size_bytes, 0)
}
