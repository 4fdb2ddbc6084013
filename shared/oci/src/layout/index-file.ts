import { readFile, stat } from 'node:fs/promises'
import { commitFile } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { MAX_INDEX, parseIndex, printIndex, type LayoutIndex } from './layout-index.ts'

/** index.json of one layout: read again when another program has changed it, changed by one writer at a time. */
export class IndexFile {
  readonly #path: string
  readonly #own: string
  #current: { readonly stamp: string; readonly index: LayoutIndex } | undefined
  #edits: ((index: LayoutIndex) => LayoutIndex)[] = []
  #queued: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(path: string, own: string) {
    this.#path = path
    this.#own = own
  }

  /** The index as it is on disk now. Throws INPUT_NOT_FOUND, INPUT_SYNTAX. */
  async read(): Promise<LayoutIndex> {
    try {
      const stamp = await this.#stamp()
      if (this.#current?.stamp === stamp) return this.#current.index
      const index = parseIndex(await readFile(this.#path, 'utf8'), this.#own, this.#path)
      this.#current = { stamp, index }
      return index
    } catch (error) {
      throw fromSystemError(error, `read "${this.#path}"`)
    }
  }

  /** Resolves when the edit is durable. Edits that arrive during a write share the next one: many pushes, few syncs. */
  edit(change: (index: LayoutIndex) => LayoutIndex): Promise<void> {
    this.#edits.push(change)
    this.#queued ??= this.#running.then(() => this.#write())
    return this.#queued
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#running
    await this.#queued?.catch(() => undefined)
  }

  #write(): Promise<void> {
    const edits = this.#edits
    this.#edits = []
    this.#queued = undefined
    const written = this.#apply(edits)
    this.#running = written.catch(() => undefined)
    return written
  }

  async #apply(edits: readonly ((index: LayoutIndex) => LayoutIndex)[]): Promise<void> {
    const before = await this.read()
    const after = edits.reduce((index, edit) => edit(index), before)
    if (after === before) return
    await commitFile(this.#path, printIndex(after))
    this.#current = { stamp: await this.#stamp(), index: after }
  }

  /** Another file, another size or a later change: enough to see a write, for the price of one system call. */
  async #stamp(): Promise<string> {
    const { ino, size, mtimeNs } = await stat(this.#path, { bigint: true })
    if (size <= MAX_INDEX) return `${ino}:${size}:${mtimeNs}`
    throw new CarryallError(
      'INPUT_TOO_LARGE',
      `Cannot read "${this.#path}": ${size} bytes, at most ${MAX_INDEX} are read`,
    )
  }
}
