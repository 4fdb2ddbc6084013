import type { Readable } from 'node:stream'
import { fromSystemError } from '@carryall/errors'
import { malformed } from './malformed.ts'
import { type ArchiveEntry, parseArchive } from './parse-archive.ts'
import { StreamBytes } from './stream-bytes.ts'

/** An entry while it streams by. */
export interface StreamedEntry extends ArchiveEntry {
  /**
   * Its data, exactly `size` bytes, in chunks of at most 1 MiB that are valid until the next is asked for. To be called once, and
   * before the next entry is asked for; what is not read is passed over.
   */
  chunks(signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined>
}

export interface TarStreamOptions {
  /** For messages: what the stream is. */
  readonly name?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The entries of a tar stream of unknown length, as ours or as `tar c DIRECTORY` of GNU tar and bsdtar makes them: read once, strictly, at
 * the pace of the consumer. Zeros of any length may follow its end, nothing else. Stopping early leaves a `Readable` undestroyed.
 * Nothing that was yielded is to be trusted until the iteration has ended.
 * Throws ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED, PATH_UNSAFE (each with `location.offset`), IO_FAILED.
 */
export async function* readTarStream(
  source: Readable | AsyncIterable<Buffer>,
  { name = 'the stream', signal }: TarStreamOptions = {},
): AsyncGenerator<StreamedEntry, void, undefined> {
  const bytes = new StreamBytes(source)
  try {
    const parser = parseArchive(Infinity, name, 'foreign')
    let step = parser.next()
    while (step.done !== true) {
      const request = step.value
      if (request.want === 'bytes') {
        step = parser.next(await bytes.take(request.length, signal))
        continue
      }
      const data = new EntryData(bytes, request.entry, name)
      yield { ...request.entry, chunks: (own) => data.chunks(either(own, signal)) }
      await data.skip(signal)
      step = parser.next(Buffer.alloc(0))
    }
  } catch (error) {
    throw fromSystemError(error, `read ${name}`, { subject: { kind: 'file', name } })
  } finally {
    await bytes.close()
  }
}

function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one === undefined || other === undefined || one === other
    ? (one ?? other)
    : AbortSignal.any([one, other])
}

/** The data of the entry that streams by now. */
class EntryData {
  readonly #bytes: StreamBytes
  readonly #entry: ArchiveEntry
  readonly #file: string
  #missing: number
  #used = false

  constructor(bytes: StreamBytes, entry: ArchiveEntry, file: string) {
    this.#bytes = bytes
    this.#entry = entry
    this.#file = file
    this.#missing = entry.size
  }

  async *chunks(signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    if (this.#used) throw new RangeError(`Streamed by already: ${this.#entry.name}`)
    this.#used = true
    while (this.#missing > 0) yield await this.#next(signal)
  }

  /** Passes over what was not read; from now on there is nothing to read. */
  async skip(signal?: AbortSignal): Promise<void> {
    this.#used = true
    while (this.#missing > 0) await this.#next(signal)
  }

  async #next(signal?: AbortSignal): Promise<Buffer> {
    const chunk = await this.#bytes.upTo(this.#missing, signal)
    if (chunk.length === 0)
      throw malformed(`the archive ends in the data of ${this.#entry.name}`, this.#file, this.#bytes.position)
    this.#missing -= chunk.length
    return chunk
  }
}
