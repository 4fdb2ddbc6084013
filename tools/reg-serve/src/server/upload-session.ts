import { createHash } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { writeAll } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

/** One upload in progress: a file that grows, the hash and the count of what is in it. One request at a time appends. */
export class UploadSession {
  readonly id: string
  readonly repository: string
  readonly file: string
  #handle: FileHandle | undefined
  readonly #hash = createHash('sha256')
  #size = 0
  /** True while a request appends to it or closes it. */
  busy = false
  /** Milliseconds of the clock when it was last used. */
  used: number

  constructor(id: string, repository: string, file: string, now: number) {
    this.id = id
    this.repository = repository
    this.file = file
    this.used = now
  }

  /** Bytes taken so far. */
  get size(): number {
    return this.#size
  }

  /** Digest of the bytes taken so far. */
  digest(): string {
    return `sha256:${this.#hash.copy().digest('hex')}`
  }

  /**
   * Takes a request body, whose chunks are not used once the next is asked for. Where the body breaks off, what came of it stays and the error is thrown. Where the file cannot
   * be written (IO_*, OS_LIMIT), nothing more can be told about it: the session has to be removed.
   */
  async append(body: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of body) {
      const writing = this.#write(chunk, this.#size)
      this.#hash.update(chunk)
      this.#size += chunk.length
      await writing
    }
  }

  /** Closes the file, which stays where it is. */
  async close(): Promise<void> {
    await (await this.#open()).close()
  }

  async remove(): Promise<void> {
    await this.#handle?.close()
    await rm(this.file, { force: true })
  }

  /** The file is made when the first bytes come: most uploads send all of them with the digest and need none. */
  async #open(): Promise<FileHandle> {
    return (this.#handle ??= await open(this.file, 'wx', 0o600))
  }

  async #write(chunk: Buffer, position: number): Promise<void> {
    try {
      await writeAll(await this.#open(), chunk, position)
    } catch (error) {
      throw fromSystemError(error, `write the upload file "${this.file}"`)
    }
  }
}
