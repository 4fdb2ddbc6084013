import type { FileHandle } from 'node:fs/promises'

/** Bytes after which the disk is set to work, so that it is not idle until the last sync. */
const EVERY = 32 * 1024 * 1024

/** Syncs a file now and then while it is being written, one sync at a time. */
export class BackgroundSync {
  readonly #handle: FileHandle
  #pending = 0
  #running: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Tells that so many bytes were written. Throws what an earlier sync threw: the kernel tells of a failed write only once. */
  wrote(bytes: number): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#pending += bytes
    if (this.#pending < EVERY || this.#running !== undefined) return
    this.#pending = 0
    this.#running = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#running = undefined
      })
  }

  /** Waits for the sync that is under way; to be called before the file is closed. Throws what it threw. */
  async settle(): Promise<void> {
    await this.#running
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
