import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { outputError } from '@carryall/durable'
import { escapeControls, isCarryallError, redact } from '@carryall/errors'
import { rotateLog, type Rotation } from './rotate-log.ts'

const MODE = 0o640
const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const
export type EventLevel = (typeof LEVELS)[number]

export interface EventLogOptions extends Rotation {
  readonly file: string
  /** What is below it is left out; INFO if absent. */
  readonly level?: EventLevel
  readonly clock: () => Date
  /** Told once what keeps lines from being written, and once what keeps the file from being rotated. */
  readonly warn: (error: unknown) => void
}

/** A log of events for people and their greps. `await using` closes it. */
export interface EventLog extends AsyncDisposable {
  /** `2026-11-21 08:00:00 [INFO] [SYNC_SUCCESS] Image Sync: Successfully synced: a -> b`, in UTC. Never throws. */
  write(level: EventLevel, code: string, what: string, message: string): void
  /** Waits until the lines are written. Never throws. */
  close(): Promise<void>
}

/**
 * Opens a log that is appended to, and makes it where there is none. Secrets are masked and control characters escaped. A file that is too
 * large or too old is first compressed to `NAME_YYYYMMDD_HHMMSS.log.gz` and begun anew, now and while it is written. It never ends a
 * run: lines that cannot be written are lost. Throws only where there can be no such file: OUTPUT_NOT_WRITABLE, PERMISSION_DENIED.
 */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const log = new EventLogFile(options)
  await log.open()
  return log
}

class EventLogFile implements EventLog {
  readonly #options: EventLogOptions
  readonly #lowest: number
  #handle: FileHandle | undefined
  #waiting: string[] = []
  #work: Promise<void> = Promise.resolve()
  /** A line was cut by what failed. */
  #cut = false
  /** Compressing a large file in vain for each line would hold up the run. */
  #rotates = true
  readonly #told = new Set<string>()

  constructor(options: EventLogOptions) {
    this.#options = options
    this.#lowest = LEVELS.indexOf(options.level ?? 'INFO')
  }

  async open(): Promise<void> {
    const { file } = this.#options
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
    try {
      this.#handle = await open(file, flags, MODE)
    } catch (error) {
      const failure = outputError(error, 'open the log', file)
      if (!isCarryallError(failure, 'IO_NO_SPACE')) throw failure
      this.#tell('write', failure)
    }
  }

  write(level: EventLevel, code: string, what: string, message: string): void {
    if (LEVELS.indexOf(level) < this.#lowest) return
    const time = this.#options.clock().toISOString().slice(0, 19).replace('T', ' ')
    this.#waiting.push(`${time} [${level}] [${oneLine(code)}] ${oneLine(what)}: ${oneLine(message)}\n`)
    if (this.#waiting.length === 1) this.#work = this.#work.then(() => this.#drain())
  }

  async close(): Promise<void> {
    await this.#work
    await this.#handle?.close().catch(() => undefined)
    this.#handle = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const count = this.#waiting.length
      const lines = this.#waiting.slice(0, count)
      if (this.#handle !== undefined) {
        const text = lines.join('')
        if (this.#rotates) await this.#rotate(this.#handle, Buffer.byteLength(text))
        await this.#append(this.#handle, text)
      }
      this.#waiting = this.#waiting.slice(count)
    }
  }

  async #rotate(handle: FileHandle, more: number): Promise<void> {
    try {
      await rotateLog(handle, this.#options.file, this.#options, more, this.#options.clock())
    } catch (error) {
      this.#rotates = false
      this.#tell('rotate', outputError(error, 'rotate the log', this.#options.file))
    }
  }

  async #append(handle: FileHandle, lines: string): Promise<void> {
    const bytes = Buffer.from(this.#cut ? `\n${lines}` : lines)
    let done = 0
    try {
      while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten
      this.#cut = false
    } catch (error) {
      this.#cut ||= done > 0
      this.#tell('write', outputError(error, 'write the log', this.#options.file))
    }
  }

  #tell(about: string, error: unknown): void {
    if (this.#told.has(about)) return
    this.#told.add(about)
    this.#options.warn(error)
  }
}

function oneLine(text: string): string {
  return escapeControls(redact(text)).replaceAll(/[\n\t]+/g, ' ')
}
