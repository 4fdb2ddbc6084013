import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import type { Phase } from '@carryall/cli'
import { tarHeader } from '@carryall/archive'
import type { VolumeEntry } from '@carryall/schemas'
import { SUMS_FILE } from '@carryall/shipment'
import { sha256, tapped } from './hashed.ts'
import { packed, payloadBytes, phaseTitle, type PackedVolume, type PackOptions } from './pack.ts'
import { signatures, sumsText } from './publish-volume.ts'
import { lastParts, SourceReader } from './source-reader.ts'
import { nameOf } from './stage-volume.ts'
import type { VolumeJob } from './volume-job.ts'

const BLOCK = 512

/**
 * Writes volumes as one tar stream (ustar, PAX only where it has to be), each below its name: description, metadata, files, and last the
 * sums and their signatures, which are there only if all before them was proven. Throws DIGEST_MISMATCH (82) for a
 * source that is damaged; the stream ends in the middle of its volume then.
 */
export async function writeStream(stdout: Writable, options: PackOptions): Promise<readonly PackedVolume[]> {
  const reader = new SourceReader(options.sources, options.signal)
  const last = lastParts(options.jobs)
  const made: PackedVolume[] = []
  for (const job of options.jobs) {
    const phase = options.progress.phase(phaseTitle('Streaming', job, options), {
      items: job.entries.length,
      bytes: payloadBytes(job),
    })
    try {
      made.push(await new VolumeStream(stdout, job, phase, options).write(reader, last))
    } finally {
      phase.end()
    }
  }
  await send(stdout, Buffer.alloc(2 * BLOCK))
  return made
}

class VolumeStream {
  readonly #stdout: Writable
  readonly #job: VolumeJob
  readonly #phase: Phase
  readonly #options: PackOptions
  readonly #sums = new Map<string, string>()

  constructor(stdout: Writable, job: VolumeJob, phase: Phase, options: PackOptions) {
    this.#stdout = stdout
    this.#job = job
    this.#phase = phase
    this.#options = options
  }

  async write(reader: SourceReader, last: ReadonlySet<VolumeEntry>): Promise<PackedVolume> {
    const job = this.#job
    for (const { stored, bytes } of [job.description, ...job.metadata]) await this.#small(stored, bytes)
    for (const entry of job.entries) {
      this.#phase.started(nameOf(entry))
      await this.#entry(entry, reader)
      if (last.has(entry)) await reader.finish(entry)
      this.#phase.finished(nameOf(entry))
    }
    const sums = sumsText(this.#sums)
    await this.#small(SUMS_FILE, sums)
    for (const [name, bytes] of await signatures(sums, this.#options.signers)) await this.#small(name, bytes)
    return packed(job.document, { changed: true, sums })
  }

  async #small(stored: string, bytes: Buffer): Promise<void> {
    this.#sums.set(stored, sha256(bytes))
    await this.#header(stored, bytes.length)
    await this.#send(bytes)
    await this.#pad(bytes.length)
  }

  async #entry(entry: VolumeEntry, reader: SourceReader): Promise<void> {
    await this.#header(entry.stored, entry.size_bytes)
    const sum = await reader.read(entry, async (chunks, proof) => {
      const hash = entry.part === undefined ? undefined : createHash('sha256')
      for await (const chunk of tapped(chunks, (one) => proof.update(one))) {
        hash?.update(chunk)
        await this.#send(chunk)
        this.#phase.advanced(chunk.length)
      }
      return hash?.digest('hex') ?? entry.sha256
    })
    this.#sums.set(entry.stored, sum)
    await this.#pad(entry.size_bytes)
  }

  async #header(stored: string, size: number): Promise<void> {
    await this.#send(tarHeader({ name: `${this.#job.name}/${stored}`, size }))
  }

  async #pad(size: number): Promise<void> {
    await this.#send(Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK))
  }

  async #send(bytes: Buffer): Promise<void> {
    this.#options.signal.throwIfAborted()
    await this.#options.limiter(bytes.length, this.#options.signal)
    await send(this.#stdout, bytes)
  }
}

/** Fulfilled when the reader has taken it: the buffer is used again. */
async function send(stdout: Writable, bytes: Buffer): Promise<void> {
  if (bytes.length === 0) return
  await new Promise<void>((resolve, reject) =>
    stdout.write(bytes, (error) => (error ? reject(error) : resolve())),
  )
}
