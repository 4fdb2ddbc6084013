import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { followDigest } from '@carryall/archive'
import { cloneFile, readChunks, removeTree } from '@carryall/durable'
import type { VolumeEntry } from '@carryall/schemas'
import { hashFile } from '@carryall/shipment'
import type { Encryptor } from '@carryall/trust'
import type { FileProof } from './file-proof.ts'
import { tapped } from './hashed.ts'
import type { Limiter } from './rate-limit.ts'
import type { SourceReader } from './source-reader.ts'
import { pump, stagedSize, writeStaged } from './staged-file.ts'

export interface EntryPorts {
  readonly reader: SourceReader
  readonly pathOf: (entry: VolumeEntry) => string
  readonly link: 'reflink' | 'hard' | 'never'
  readonly encryptor?: Encryptor | undefined
  readonly limiter: Limiter
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

export interface Written {
  /** Of the stored bytes, in hex. */
  readonly sha256: string
  /** It was there from an earlier run. */
  readonly kept: boolean
}

/** Writes entries into a staging directory, or keeps what an earlier run left there. */
export class EntryWriter {
  readonly #staged: string
  readonly #ports: EntryPorts
  /** Turned off by the first file that could not be linked. */
  #links: boolean

  constructor(staged: string, ports: EntryPorts) {
    this.#staged = staged
    this.#ports = ports
    this.#links = ports.link !== 'never' && ports.encryptor === undefined
  }

  /** Its directory has to be there. A whole file is proven then, a part once its file is finished. Throws DIGEST_MISMATCH (82). */
  async write(entry: VolumeEntry): Promise<Written> {
    const path = join(this.#staged, entry.stored)
    const { encryptor, reader } = this.#ports
    if (encryptor !== undefined)
      return reader.read(entry, (chunks, proof) => this.#encrypt(encryptor, entry, path, chunks, proof))
    if ((await stagedSize(path)) === entry.size_bytes) {
      const kept = await (entry.part === undefined
        ? this.#keepFile(entry, path)
        : this.#keepPart(entry, path))
      if (kept !== undefined) return { sha256: kept, kept: true }
    }
    if (entry.part !== undefined)
      return reader.read(entry, (chunks, proof) => this.#copyPart(path, entry, chunks, proof))
    return (
      (await this.#linked(entry, path)) ??
      reader.read(entry, (chunks, proof) => this.#copyFile(path, entry, chunks, proof))
    )
  }

  async #keepFile(entry: VolumeEntry, path: string): Promise<string | undefined> {
    const { signal, onBytes } = this.#ports
    const { sha256 } = await hashFile(path, { signal, onBytes })
    if (sha256 === entry.sha256) return sha256
    onBytes(-entry.size_bytes)
    return undefined
  }

  /** Of a part no sum is known before: what is there goes into the proof of its file in the place of the source. */
  async #keepPart(entry: VolumeEntry, path: string): Promise<string> {
    const { reader, signal, onBytes } = this.#ports
    const proof = await reader.proofOf(entry)
    const hash = createHash('sha256')
    await using handle = await open(path)
    for await (const chunk of readChunks(handle, 0, entry.size_bytes, { signal })) {
      hash.update(chunk)
      proof.update(chunk)
      onBytes(chunk.length)
    }
    return hash.digest('hex')
  }

  /** What shares its data with the source is read from here: those are the bytes that are carried. */
  async #linked(entry: VolumeEntry, path: string): Promise<Written | undefined> {
    const { link, pathOf } = this.#ports
    if (!this.#links || link === 'never') return undefined
    await removeTree(path)
    this.#links = await cloneFile(pathOf(entry), path, link)
    if (!this.#links) return undefined
    const sha256 = await this.#keepFile(entry, path)
    // Only the source itself can say that it is wrong.
    return sha256 === undefined ? undefined : { sha256, kept: false }
  }

  async #copyFile(
    path: string,
    { sha256 }: VolumeEntry,
    chunks: AsyncIterable<Buffer>,
    proof: FileProof,
  ): Promise<Written> {
    await writeStaged(path, (handle) =>
      pump(this.#paced(chunks), { handle, path }, (chunk) => this.#eat(chunk, proof)),
    )
    // Of a whole file the proof is of what was written.
    return { sha256, kept: false }
  }

  /** Its own sum is taken on the other thread, from what was written. */
  async #copyPart(
    path: string,
    entry: VolumeEntry,
    chunks: AsyncIterable<Buffer>,
    proof: FileProof,
  ): Promise<Written> {
    return writeStaged(path, async (handle) => {
      const follower = followDigest(handle, entry.size_bytes)
      try {
        let final = 0
        await pump(this.#paced(chunks), { handle, path }, (chunk, end) => {
          follower.advance(final)
          final = end
          this.#eat(chunk, proof)
        })
        return { sha256: hex(await follower.finish()), kept: false }
      } finally {
        follower.cancel()
      }
    })
  }

  async #encrypt(
    encryptor: Encryptor,
    entry: VolumeEntry,
    path: string,
    chunks: AsyncIterable<Buffer>,
    proof: FileProof,
  ): Promise<Written> {
    const hash = createHash('sha256')
    const plain = tapped(chunks, (chunk) => this.#eat(chunk, proof))
    const size = await writeStaged(path, (handle) =>
      pump(this.#paced(encryptor.encrypt(plain)), { handle, path }, (chunk) => hash.update(chunk)),
    )
    if (size > entry.size_bytes + encryptor.overhead(entry.size_bytes))
      throw new RangeError(`The ciphertext of ${entry.path} is larger than planned: ${size}`)
    return { sha256: hash.digest('hex'), kept: false }
  }

  async *#paced(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    const { limiter, signal } = this.#ports
    for await (const chunk of chunks) {
      await limiter(chunk.length, signal)
      yield chunk
    }
  }

  #eat(chunk: Buffer, proof: FileProof): void {
    proof.update(chunk)
    this.#ports.onBytes(chunk.length)
  }
}

function hex(digest: string): string {
  return digest.slice('sha256:'.length)
}
