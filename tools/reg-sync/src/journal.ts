import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { acquireLock, ensureDirectory, lastLine, outputError, type Lock } from '@carryall/durable'
import { API_VERSION, toJson, type SyncedImage, type SyncEvent } from '@carryall/schemas'
import { BatchedWriter } from './batched-writer.ts'
import { finished, ofPlan } from './finished.ts'
import { readOpenJournal, type JournalRead } from './read-journal.ts'

/** In the order in which they are written. */
type Fields = { readonly [K in keyof SyncEvent]?: SyncEvent[K] | undefined } & Pick<SyncEvent, 'event'>

export interface JournalOptions {
  readonly planDigest: string
  readonly tool: NonNullable<SyncEvent['tool']>
  readonly clock: () => Date
  /** Seconds to wait for another writer; 0 if absent. */
  readonly waitSeconds?: number
  readonly signal?: AbortSignal
  /** Told once, when the first line could not be written; the run may go on. */
  readonly onFailure?: (error: unknown) => void
}

/** The journal of a run. `await using` closes it. */
export interface Journal extends AsyncDisposable {
  readonly file: string
  /** What earlier parts of this run have finished, by `destinationKey`. */
  readonly done: ReadonlyMap<string, SyncEvent>
  /** There was an earlier part, which may have left more than it finished. */
  readonly resumed: boolean
  /** What became of an image, as the report has it. Never throws: what cannot be written is tried again with the next line. */
  image(image: SyncedImage): void
  /** The last line. Throws what kept lines from being written, or from being durable: IO_NO_SPACE, IO_FAILED. */
  end(exit: number): Promise<void>
  /** Writes what there is to write, and frees the lock. Never throws. */
  close(): Promise<void>
}

/**
 * Opens the journal of a run of a plan: NDJSON of SyncEvent, each line naming the digest of the one before it. A line is with the kernel
 * as soon as it is written, so that kill -9 loses none that was; it is durable within a second, so that a lost power supply costs
 * no more than asking again for the images of that second. What a killed run left of a last line is cut off. A journal that is there
 * is continued; runs of other plans in it are left alone.
 *
 * Throws LOCK_HELD while another writes it, SYNC_JOURNAL_BROKEN (82), and as `commitFile` does.
 */
export async function openJournal(file: string, options: JournalOptions): Promise<Journal> {
  await ensureDirectory(dirname(file))
  const { tool, waitSeconds = 0, signal } = options
  const lock = await acquireLock(`${file}.lock`, {
    holder: tool.name,
    waitSeconds,
    ...(signal === undefined ? {} : { signal }),
  })
  let handle: FileHandle | undefined
  try {
    await lastLine(file, { make: true })
    handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW)
    const before = await readOpenJournal(handle, file)
    await handle.truncate(before.size)
    const journal = new JournalFile(file, handle, lock, before, options)
    await journal.begin()
    return journal
  } catch (error) {
    await handle?.close().catch(() => undefined)
    await lock.release()
    throw outputError(error, 'write the journal', file)
  }
}

class JournalFile implements Journal {
  readonly file: string
  readonly done: ReadonlyMap<string, SyncEvent>
  readonly resumed: boolean
  readonly #handle: FileHandle
  readonly #lock: Lock
  readonly #options: JournalOptions
  readonly #writer: BatchedWriter
  #head: string | undefined
  #closed: Promise<void> | undefined

  constructor(file: string, handle: FileHandle, lock: Lock, before: JournalRead, options: JournalOptions) {
    this.file = file
    const earlier = ofPlan(before.events, options.planDigest)
    this.done = finished(earlier)
    this.resumed = earlier.length > 0
    this.#handle = handle
    this.#lock = lock
    this.#options = options
    this.#head = before.head
    this.#writer = new BatchedWriter(handle, before.size, (error) => options.onFailure?.(this.#named(error)))
  }

  begin(): Promise<void> {
    const { planDigest, tool } = this.#options
    this.#add({ event: 'begin', plan_digest: planDigest, tool })
    return this.#settle()
  }

  image({
    source,
    destination,
    digest,
    outcome,
    verified,
    previous_digest,
    bytes,
    seconds,
    error,
  }: SyncedImage): void {
    const milliseconds = seconds === undefined ? undefined : Math.round(seconds * 1000)
    const image = {
      source,
      destination,
      digest,
      outcome,
      verified,
      previous_digest,
      bytes,
      milliseconds,
      error,
    }
    this.#add({ event: 'image', ...image })
  }

  end(exit: number): Promise<void> {
    this.#add({ event: 'end', exit })
    return this.#settle()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #add(event: Fields): void {
    const time = this.#options.clock().toISOString()
    const head = { apiVersion: API_VERSION, kind: 'SyncEvent', previous: this.#head, time }
    const line = `${toJson({ ...head, ...event })}\n`
    this.#head = `sha256:${hash('sha256', line)}`
    this.#writer.add(line)
  }

  async #settle(): Promise<void> {
    try {
      await this.#writer.settle()
    } catch (error) {
      throw this.#named(error)
    }
  }

  #named(error: unknown): unknown {
    return outputError(error, 'write the journal', this.file)
  }

  async #close(): Promise<void> {
    await this.#writer.settle().catch(() => undefined)
    await this.#handle.close().catch(() => undefined)
    await this.#lock.release()
  }
}
