import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { followDigest } from '@carryall/archive'
import { cloneFile, readChunks, removeTree } from '@carryall/durable'
import type { VolumeEntry } from '@carryall/schemas'
import { hashFile } from '@carryall/shipment'
import type { Encryptor } from '@carryall/trust'
import type { FileProof } from './file-proof.ts'
import { tapped } from './hashed.ts'
import { pump } from './pump.ts'
import type { Limiter } from './rate-limit.ts'
import type { SourceReader } from './source-reader.ts'
import type { StagingTree } from './staging-tree.ts'

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
  readonly #tree: StagingTree
  readonly #ports: EntryPorts
  /** Turned off by the first file that could not be linked. */
  #links: boolean

  constructor(tree: StagingTree, ports: EntryPorts) {
    this.#tree = tree
    this.#ports = ports
    this.#links = ports.link !== 'never' && ports.encryptor === undefined
  }

  /** A whole file is proven then, a part once its file is finished. Throws DIGEST_MISMATCH (82), IO_NO_SPACE, IO_FAILED. */
  async write(entry: VolumeEntry): Promise<Written> {
    const kept = await this.#kept(entry)
    if (kept !== undefined) return { sha256: kept, kept: true }
    await this.#tree.clear(entry.stored)
    return { sha256: (await this.#linked(entry)) ?? (await this.#written(entry)), kept: false }
  }

  async #kept(entry: VolumeEntry): Promise<string | undefined> {
    // Of ciphertext only who can decrypt it could say whether it is right.
    if (this.#ports.encryptor !== undefined) return undefined
    if ((await this.#tree.size(entry.stored)) !== entry.size_bytes) return undefined
    return entry.part === undefined ? this.#provenFile(entry) : this.#provenPart(entry)
  }

  async #provenFile(entry: VolumeEntry): Promise<string | undefined> {
    const { signal, onBytes } = this.#ports
    const { sha256 } = await hashFile(this.#tree.pathOf(entry.stored), { signal, onBytes })
    if (sha256 === entry.sha256) return sha256
    onBytes(-entry.size_bytes)
    return undefined
  }

  /** Of a part no sum is known before: what is there goes into the proof of its file in the place of the source. */
  async #provenPart(entry: VolumeEntry): Promise<string> {
    const { reader, signal } = this.#ports
    const proof = await reader.proofOf(entry)
    const hash = createHash('sha256')
    await using handle = await open(this.#tree.pathOf(entry.stored))
    for await (const chunk of readChunks(handle, 0, entry.size_bytes, { signal })) {
      hash.update(chunk)
      this.#eat(chunk, proof)
    }
    return hash.digest('hex')
  }

  /** What shares its data with the source is read from here: those are the bytes that are carried. */
  async #linked(entry: VolumeEntry): Promise<string | undefined> {
    const { link, pathOf } = this.#ports
    if (!this.#links || link === 'never' || entry.part !== undefined) return undefined
    this.#links = await cloneFile(pathOf(entry), this.#tree.pathOf(entry.stored), link)
    if (!this.#links) return undefined
    const sha256 = await this.#provenFile(entry)
    // Copying it will say what is wrong with it.
    if (sha256 === undefined) await removeTree(this.#tree.pathOf(entry.stored))
    return sha256
  }

  #written(entry: VolumeEntry): Promise<string> {
    const { reader, encryptor } = this.#ports
    return reader.read(entry, (chunks, proof) =>
      this.#tree.write(entry.stored, (handle) => {
        if (encryptor !== undefined) return this.#encrypt(entry, encryptor, handle, chunks, proof)
        return entry.part === undefined
          ? this.#copyFile(entry, handle, chunks, proof)
          : this.#copyPart(entry, handle, chunks, proof)
      }),
    )
  }

  /** Its proof is of what was written. */
  async #copyFile(
    { sha256 }: VolumeEntry,
    handle: FileHandle,
    chunks: AsyncIterable<Buffer>,
    proof: FileProof,
  ): Promise<string> {
    await pump(this.#paced(chunks), handle, (chunk) => this.#eat(chunk, proof))
    return sha256
  }

  /** Its own sum is taken on the other thread, from what was written. */
  async #copyPart(
    entry: VolumeEntry,
    handle: FileHandle,
    chunks: AsyncIterable<Buffer>,
    proof: FileProof,
  ): Promise<string> {
    const follower = followDigest(handle, entry.size_bytes)
    try {
      let written = 0
      await pump(this.#paced(chunks), handle, (chunk, end) => {
        follower.advance(written)
        written = end
        this.#eat(chunk, proof)
      })
      return (await follower.finish()).slice('sha256:'.length)
    } finally {
      follower.cancel()
    }
  }

  async #encrypt(
    entry: VolumeEntry,
    encryptor: Encryptor,
    handle: FileHandle,
    chunks: AsyncIterable<Buffer>,
    proof: FileProof,
  ): Promise<string> {
    const hash = createHash('sha256')
    const plain = tapped(chunks, (chunk) => this.#eat(chunk, proof))
    const size = await pump(this.#paced(encryptor.encrypt(plain)), handle, (chunk) => hash.update(chunk))
    if (size > entry.size_bytes + encryptor.overhead(entry.size_bytes))
      throw new RangeError(`The ciphertext of ${entry.path} is larger than planned: ${size}`)
    return hash.digest('hex')
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
