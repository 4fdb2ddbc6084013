import type { FileHandle } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import type { BlobReader } from '../layout/blob-reader.ts'
import { unknownBlob } from '../layout/refusals.ts'
import type { BlobPlace } from '../layout/serving.ts'

/** A part of a file, in bytes. */
export interface Span {
  readonly offset: number
  readonly size: number
}

/** The blobs of an archive, read where they are. */
export class TarBlobs implements BlobReader {
  readonly #handle: FileHandle
  readonly #file: string
  readonly #spans: ReadonlyMap<string, Span>

  constructor(handle: FileHandle, file: string, spans: ReadonlyMap<string, Span>) {
    this.#handle = handle
    this.#file = file
    this.#spans = spans
  }

  /** Digests of all blobs that are there. */
  get digests(): Iterable<string> {
    return this.#spans.keys()
  }

  async size(digest: string): Promise<number | undefined> {
    return this.#spans.get(digest)?.size
  }

  /** By the open file, whatever is under its name by now. */
  async place(digest: string): Promise<BlobPlace | undefined> {
    const span = this.#spans.get(digest)
    return span && { file: `/proc/self/fd/${this.#handle.fd}`, ...span }
  }

  async *read(digest: string, offset = 0, signal?: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const span = this.#spans.get(digest)
    if (span === undefined) throw unknownBlob(digest)
    const rest = { offset: span.offset + offset, size: span.size - offset }
    yield* chunksAt(this.#handle, this.#file, rest, signal)
  }
}

/** All bytes of a small part. Throws as reading blobs does. */
export async function bytesAt(handle: FileHandle, file: string, span: Span): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of chunksAt(handle, file, span)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function* chunksAt(
  handle: FileHandle,
  file: string,
  { offset, size }: Span,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* readChunks(handle, offset, size, signal === undefined ? {} : { signal })
  } catch (error) {
    const subject = { kind: 'file', name: file } as const
    if (!isCarryallError(error, 'SIZE_MISMATCH')) throw fromSystemError(error, `read ${file}`, { subject })
    throw new CarryallError('ARCHIVE_MALFORMED', `Cannot read ${file}: it was cut while it was read`, {
      hint: 'Run the same command again when nobody writes to the archive',
      subject,
      cause: error,
    })
  }
}
