import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { commitFile, ensureDirectory, publishFile, removeTree } from '@carryall/durable'
import { run } from '@carryall/exec'
import type { VolumeEntry } from '@carryall/schemas'
import { SUMS_FILE } from '@carryall/shipment'
import { checkVolume, type FinishedVolume } from './check-volume.ts'
import { stagingName } from './directory-staging.ts'
import { dropPages } from './drop-pages.ts'
import { EntryWriter } from './entry-writer.ts'
import { imageArguments, imageCommands, type ImageFile } from './image-commands.ts'
import { packed, payloadBytes, phaseTitle, type PackedVolume, type PackOptions } from './pack.ts'
import { signatures, sumsText } from './publish-volume.ts'
import { lastParts, SourceReader } from './source-reader.ts'
import { nameOf, writeSmall } from './stage-volume.ts'
import { StagingTree } from './staging-tree.ts'
import type { VolumeJob } from './volume-job.ts'

const TIMEOUT_MS = 7 * 24 * 3600 * 1000

/**
 * Writes volumes as ISO 9660 images (`<volume>.iso`, Rock Ridge) below `out`, by xorriso: files come straight from their shipments. Each
 * image is read back in full and compared before it gets its name. An image that is there and whole is kept. Throws EXEC_NOT_FOUND,
 * EXEC_FAILED (69), DIGEST_MISMATCH (82), IO_NO_SPACE, IO_FAILED.
 */
export async function writeImages(out: string, options: PackOptions): Promise<readonly PackedVolume[]> {
  const made: PackedVolume[] = []
  const reader = new SourceReader(options.sources, options.signal)
  const last = lastParts(options.jobs)
  for (const job of options.jobs) {
    const file = join(out, `${job.name}.iso`)
    const finished = options.force ? undefined : await check(file, 'Checking', job, options)
    if (finished === undefined) made.push(await new VolumeImage(out, file, job, options).make(reader, last))
    else made.push(packed(finished.document ?? job.document, { changed: false, file, sums: finished.sums }))
  }
  return made
}

async function check(
  file: string,
  action: string,
  job: VolumeJob,
  options: PackOptions,
): Promise<FinishedVolume | undefined> {
  if ((await lstat(file).catch(() => undefined)) === undefined) return undefined
  const phase = options.progress.phase(phaseTitle(action, job, options), { bytes: payloadBytes(job) })
  try {
    const onBytes = (count: number): void => phase.advanced(count)
    return await checkVolume(file, job, { signal: options.signal, onBytes })
  } finally {
    phase.end()
  }
}

class VolumeImage {
  readonly #file: string
  readonly #job: VolumeJob
  readonly #options: PackOptions
  /** Small files and ciphertext; the image itself and the commands are beside it. */
  readonly #staged: string
  readonly #tree: StagingTree
  readonly #sums = new Map<string, string>()
  readonly #files: ImageFile[] = []

  constructor(out: string, file: string, job: VolumeJob, options: PackOptions) {
    this.#file = file
    this.#job = job
    this.#options = options
    this.#staged = join(resolve(out), stagingName(job))
    this.#tree = new StagingTree(join(this.#staged, 'files'))
  }

  async make(reader: SourceReader, last: ReadonlySet<VolumeEntry>): Promise<PackedVolume> {
    const { encryptor, signers, signal, verifyMedia } = this.#options
    const job = this.#job
    // Not named like an image: nobody shall take it for one.
    const image = `${this.#staged}.image`
    await removeTree(image)
    await ensureDirectory(this.#staged)
    await this.#collect(reader, last)
    for (const file of [job.description, ...job.metadata])
      this.#add(file.stored, await writeSmall(this.#tree, file, encryptor))
    const sums = sumsText(this.#sums)
    for (const [stored, bytes] of [[SUMS_FILE, sums] as const, ...(await signatures(sums, signers))])
      this.#add(stored, await writeSmall(this.#tree, { stored, bytes, encrypted: false }, undefined))
    await this.#burn(image)
    if (verifyMedia) {
      await run('sync', ['--', image], { timeoutMs: TIMEOUT_MS, package: 'coreutils', signal })
      await dropPages(image, signal)
    }
    await check(image, 'Reading back', job, this.#options)
    await publishFile(image, this.#file, { replace: true })
    await removeTree(this.#staged)
    return packed(job.document, { changed: true, file: this.#file, sums })
  }

  /** Finds the source of each file; of parts and of what is encrypted the sum is not known before they are read. */
  async #collect(reader: SourceReader, last: ReadonlySet<VolumeEntry>): Promise<void> {
    const { encryptor, sources, progress } = this.#options
    const phase = progress.phase(phaseTitle('Reading', this.#job, this.#options), {
      bytes: payloadBytes(this.#job),
    })
    const onBytes = (count: number): void => phase.advanced(count)
    const pathOf = (entry: VolumeEntry): string => sources.pathOf(entry)
    const writer = new EntryWriter(this.#tree, { ...this.#options, reader, pathOf, onBytes })
    try {
      for (const entry of this.#job.entries) {
        const { stored, offset = 0, size_bytes: size } = entry
        phase.started(nameOf(entry))
        if (encryptor !== undefined) {
          this.#add(stored, (await writer.write(entry)).sha256)
        } else if (entry.part === undefined)
          this.#add(stored, entry.sha256, { source: resolve(pathOf(entry)) })
        else
          this.#add(stored, await hashPart(entry, reader, onBytes), {
            source: resolve(pathOf(entry)),
            piece: { offset, size },
          })
        if (last.has(entry)) await reader.finish(entry)
        phase.finished(nameOf(entry))
      }
    } finally {
      phase.end()
    }
  }

  #add(
    stored: string,
    sum: string,
    from: Omit<ImageFile, 'stored'> = { source: this.#tree.pathOf(stored) },
  ): void {
    this.#sums.set(stored, sum)
    this.#files.push({ stored, ...from })
  }

  async #burn(image: string): Promise<void> {
    const phase = this.#options.progress.phase(phaseTitle('Making the image of', this.#job, this.#options))
    const commands = `${this.#staged}.commands`
    const volumeId = `CARRYALL_${String(this.#job.number).padStart(3, '0')}`
    try {
      await commitFile(commands, imageCommands(this.#files), { sync: false })
      await run('xorriso', imageArguments(image, volumeId, commands), {
        timeoutMs: TIMEOUT_MS,
        package: 'xorriso',
        signal: this.#options.signal,
      })
    } finally {
      await removeTree(commands)
      phase.end()
    }
  }
}

async function hashPart(
  entry: VolumeEntry,
  reader: SourceReader,
  onBytes: (count: number) => void,
): Promise<string> {
  return reader.read(entry, async (chunks, proof) => {
    const hash = createHash('sha256')
    for await (const chunk of chunks) {
      hash.update(chunk)
      proof.update(chunk)
      onBytes(chunk.length)
    }
    return hash.digest('hex')
  })
}
