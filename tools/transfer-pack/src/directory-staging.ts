import { join } from 'node:path'
import { removeTree } from '@carryall/durable'
import { isCarryallError } from '@carryall/errors'
import type { VolumeEntry } from '@carryall/schemas'
import { EntryWriter } from './entry-writer.ts'
import { payloadBytes, phaseTitle, type PackOptions } from './pack.ts'
import { fileKey, lastParts, SourceReader } from './source-reader.ts'
import { stageVolume } from './stage-volume.ts'
import { StagingTree } from './staging-tree.ts'
import type { VolumeJob } from './volume-job.ts'

/** A volume of which everything is written but its description and its sums. */
export interface StagedVolume {
  readonly job: VolumeJob
  readonly tree: StagingTree
  /** sha256 (hex) of each file by its path on the volume. */
  readonly sums: Map<string, string>
  readonly writer: EntryWriter
  readonly keptParts: readonly VolumeEntry[]
}

/** The volumes that are put together below `out`, one after the other, and those of them that wait for a proof. */
export class DirectoryStaging {
  readonly #out: string
  readonly #options: PackOptions
  readonly #reader: SourceReader
  /** Of each file in parts, the last part that is written here: after it the file is proven as a whole. */
  readonly #last: ReadonlySet<VolumeEntry>
  /** Parts that were written and whose files are not proven yet. */
  #unproven: VolumeEntry[] = []
  #waiting: StagedVolume[] = []

  constructor(out: string, jobs: readonly VolumeJob[], options: PackOptions) {
    this.#out = out
    this.#options = options
    this.#reader = new SourceReader(options.sources, options.signal)
    this.#last = lastParts(jobs)
  }

  /** Writes a volume, and proves the files whose last part it has. Throws DIGEST_MISMATCH (82), IO_NO_SPACE, IO_FAILED. */
  async stage(job: VolumeJob): Promise<void> {
    const { progress, encryptor } = this.#options
    const tree = new StagingTree(join(this.#out, stagingName(job)))
    const phase = progress.phase(phaseTitle('Writing', job, this.#options), {
      items: job.entries.length,
      bytes: payloadBytes(job),
    })
    try {
      const writer = new EntryWriter(tree, {
        ...this.#options,
        reader: this.#reader,
        pathOf: (entry) => this.#options.sources.pathOf(entry),
        onBytes: (count) => phase.advanced(count),
      })
      const content = await stageVolume(job, tree, { writer, encryptor, phase })
      this.#waiting.push({ job, tree, writer, sums: new Map(content.sums), keptParts: content.keptParts })
    } finally {
      phase.end()
    }
    this.#unproven.push(...job.entries.filter((entry) => entry.part !== undefined))
    for (const entry of job.entries) if (this.#last.has(entry)) await this.#prove(entry)
  }

  /** Volumes of which every file is proven, in order, once. */
  takeProven(): readonly StagedVolume[] {
    const isOpen = ({ job }: StagedVolume): boolean =>
      job.entries.some((entry) => this.#unproven.includes(entry))
    const first = this.#waiting.findIndex(isOpen)
    return this.#waiting.splice(0, first < 0 ? this.#waiting.length : first)
  }

  async #prove(last: VolumeEntry): Promise<void> {
    try {
      await this.#reader.finish(last)
    } catch (error) {
      const isKept = this.#waiting.some(({ keptParts }) =>
        keptParts.some((part) => fileKey(part) === fileKey(last)),
      )
      if (!isKept || !isCarryallError(error, 'DIGEST_MISMATCH')) throw error
      // A part that an earlier run left may be what is wrong: all of the file once more, from its source.
      await this.#writeAgain(last)
      await this.#reader.finish(last)
    }
    this.#unproven = this.#unproven.filter((entry) => fileKey(entry) !== fileKey(last))
  }

  async #writeAgain(last: VolumeEntry): Promise<void> {
    for (const { job, tree, sums, writer } of this.#waiting)
      for (const part of job.entries.filter((entry) => fileKey(entry) === fileKey(last))) {
        await removeTree(tree.pathOf(part.stored))
        sums.set(part.stored, (await writer.write(part)).sha256)
      }
  }
}

/** Name of the directory in which a volume is put together. */
export function stagingName(job: VolumeJob): string {
  return `.carryall-partial-${job.name}`
}
