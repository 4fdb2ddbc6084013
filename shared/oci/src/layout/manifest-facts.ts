import { hash } from 'node:crypto'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Descriptor } from '@carryall/schemas'
import { MAX_MANIFEST, parseManifest } from '../manifest.ts'
import { isIndexType, isManifestType } from '../media-types.ts'
import type { LayoutBlobs } from './layout-blobs.ts'

/** What a manifest says about other manifests, and what it is called in a list of referrers. */
interface Facts {
  readonly children: readonly Descriptor[]
  readonly subject?: string
  readonly referrer: Descriptor
}

/** Reads manifests of a layout and remembers, by digest, how they hang together. Digests do not change: nor do the facts. */
export class ManifestFacts {
  readonly #blobs: LayoutBlobs
  readonly #facts = new Map<string, Facts>()

  constructor(blobs: LayoutBlobs) {
    this.#blobs = blobs
  }

  /** The bytes behind a descriptor, size and digest checked. Throws REG_BLOB_UNKNOWN, DIGEST_MISMATCH, INPUT_TOO_LARGE. */
  async bytes(descriptor: Descriptor, signal?: AbortSignal): Promise<Buffer> {
    const { digest, size } = descriptor
    if (size > MAX_MANIFEST)
      throw new CarryallError(
        'INPUT_TOO_LARGE',
        `The manifest ${digest} has ${size} bytes; at most ${MAX_MANIFEST} are read`,
      )
    const chunks: Buffer[] = []
    let read = 0
    for await (const chunk of this.#blobs.read(digest, 0, signal)) {
      chunks.push(chunk)
      read += chunk.length
      if (read > size) break
    }
    const bytes = Buffer.concat(chunks)
    const actual = `sha256:${hash('sha256', bytes)}`
    if (actual === digest && bytes.length === size) return bytes
    throw new CarryallError(
      'DIGEST_MISMATCH',
      `The manifest ${digest} of the layout reads as ${actual} with ${bytes.length} bytes`,
      {
        subject: { kind: 'manifest', name: digest, digest },
        expected: digest,
        actual,
        hint: 'The layout is damaged; copy the image into it again',
      },
    )
  }

  /** Every manifest below `roots`, roots first, each once. Children that the layout does not hold are left out. */
  async *reachable(
    roots: Iterable<Descriptor>,
    signal?: AbortSignal,
  ): AsyncGenerator<Descriptor, void, undefined> {
    const queue = [...roots]
    const seen = new Set<string>()
    for (const descriptor of queue) {
      if (seen.has(descriptor.digest)) continue
      seen.add(descriptor.digest)
      yield descriptor
      if (isIndexType(descriptor.mediaType))
        queue.push(...((await this.#of(descriptor, signal))?.children ?? []))
    }
  }

  /** Of the manifests below `roots`, those whose `subject` is `digest`, as a list of referrers names them. */
  async referrers(roots: Iterable<Descriptor>, digest: string, signal?: AbortSignal): Promise<Descriptor[]> {
    const found: Descriptor[] = []
    for await (const descriptor of this.reachable(roots, signal)) {
      const facts = await this.#of(descriptor, signal)
      if (facts?.subject === digest) found.push(facts.referrer)
    }
    return found
  }

  /** The index below `roots` that contains `digest`. */
  async parentOf(roots: Iterable<Descriptor>, digest: string): Promise<string | undefined> {
    for await (const descriptor of this.reachable(roots)) {
      const facts = await this.#of(descriptor)
      if (facts?.children.some((child) => child.digest === digest)) return descriptor.digest
    }
    return undefined
  }

  /** Undefined for what is not there (an index may be sparse) or is no manifest. */
  async #of(descriptor: Descriptor, signal?: AbortSignal): Promise<Facts | undefined> {
    const known = this.#facts.get(descriptor.digest)
    if (known !== undefined || !isManifestType(descriptor.mediaType)) return known
    try {
      const facts = factsOf(descriptor, await this.bytes(descriptor, signal))
      this.#facts.set(descriptor.digest, facts)
      return facts
    } catch (error) {
      if (isCarryallError(error, 'REG_BLOB_UNKNOWN')) return undefined
      throw error
    }
  }
}

function factsOf({ mediaType, digest, size }: Descriptor, bytes: Buffer): Facts {
  const content = parseManifest(bytes, mediaType)
  const artifactType = content.artifactType ?? content.config?.mediaType
  return {
    children: content.manifests.filter((child) => isManifestType(child.mediaType)),
    ...(content.subject === undefined ? {} : { subject: content.subject.digest }),
    referrer: {
      mediaType,
      digest,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(content.annotations === undefined ? {} : { annotations: { ...content.annotations } }),
    },
  }
}
