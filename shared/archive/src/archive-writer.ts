import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { writeAll } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { entryAt } from './entry-at.ts'
import { framing } from './framing.ts'
import type { ArchivePlan } from './plan-archives.ts'

const MODE = 0o644
const WRITES_AT_ONCE = 64

/**
 * Creates the archive of `plan` at `path` or opens the one that is there, gives it its exact size and writes headers,
 * padding and end blocks, so that only data is missing. What is there of the data stays. `path` is a staging name: nothing is published.
 * Throws OUTPUT_EXISTS where `path` is not a regular file, IO_NO_SPACE, IO_FAILED.
 */
export async function openArchive(path: string, plan: ArchivePlan): Promise<ArchiveWriter> {
  let handle: FileHandle | undefined
  try {
    handle = await createOrOpen(path)
    // Also where it is there: a run that was cut may have left it with the mode that the umask gave.
    await handle.chmod(MODE)
    await handle.truncate(plan.size)
    await writeFraming(handle, plan)
    return new ArchiveWriter(path, plan, handle)
  } catch (error) {
    await handle?.close()
    throw fromSystemError(error, `prepare the archive ${path}`, { subject: { kind: 'file', name: path } })
  }
}

async function writeFraming(handle: FileHandle, plan: ArchivePlan): Promise<void> {
  let writes: Promise<void>[] = []
  for (const { position, bytes } of framing(plan)) {
    writes.push(writeAll(handle, bytes, position))
    if (writes.length < WRITES_AT_ONCE) continue
    await Promise.all(writes)
    writes = []
  }
  await Promise.all(writes)
}

async function createOrOpen(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, MODE)
  } catch (error) {
    if (!failedWith(error, 'EEXIST')) throw error
  }
  let handle: FileHandle | undefined
  try {
    handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if ((await handle.stat()).isFile()) return handle
  } catch (error) {
    if (!failedWith(error, 'ELOOP', 'EISDIR')) {
      await handle?.close()
      throw error
    }
  }
  await handle?.close()
  throw new CarryallError('OUTPUT_EXISTS', `Cannot prepare the archive ${path}: it is not a regular file`, {
    hint: 'Move it away and run the same command again',
    subject: { kind: 'file', name: path },
  })
}

function failedWith(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** An archive whose framing is on disk and whose data arrives in any order, many entries at once. */
export class ArchiveWriter {
  readonly path: string
  readonly plan: ArchivePlan
  readonly #handle: FileHandle
  /** Writes of one file wait for its inode in the kernel anyway, and burn a core there. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(path: string, plan: ArchivePlan, handle: FileHandle) {
    this.path = path
    this.plan = plan
    this.#handle = handle
  }

  /**
   * Writes data of one entry at an absolute position, as planned. The buffer may be used again when this is fulfilled.
   * What is not inside one entry's data is a bug: RangeError, and nothing is written. Throws IO_NO_SPACE, IO_FAILED.
   */
  async write(position: number, buffer: Buffer): Promise<void> {
    if (buffer.length === 0) return
    const entry = entryAt(this.plan, position)
    if (
      entry === undefined ||
      position < entry.offset ||
      position + buffer.length > entry.offset + entry.size
    ) {
      throw new RangeError(`No data of one entry: ${buffer.length} bytes at ${position} of ${this.path}`)
    }
    const written = this.#turn.then(() =>
      this.#named('write', () => writeAll(this.#handle, buffer, position)),
    )
    this.#turn = written.catch(() => undefined)
    await written
  }

  /** Fulfilled when all that was written so far survives a power cut. Throws IO_FAILED; do not go on after it. */
  async sync(): Promise<void> {
    await this.#named('sync', () => this.#handle.sync())
  }

  /** `sync`, then closes the file; it is closed in any case. */
  async close(): Promise<void> {
    try {
      await this.sync()
    } finally {
      await this.#named('close', () => this.#handle.close())
    }
  }

  async #named(action: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      throw fromSystemError(error, `${action} the archive ${this.path}`, {
        subject: { kind: 'file', name: this.path },
      })
    }
  }
}
