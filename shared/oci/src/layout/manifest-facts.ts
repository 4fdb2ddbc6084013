import { hash } from 'node:crypto'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Descriptor } from '@carryall/schemas'
import { MAX_MANIFEST, parseManifest } from '../manifest.ts'
import { isIndexType, isManifestType } from '../media-types.ts'
import type { BlobReader } from './blob-reader.ts'

/** What a manifest says about other manifests, and what it is called in a list of referrers. */
interface Facts {
  readonly children: readonly Descriptor[]
  /** Digests of all that it names: config, layers, children of any type. */
  readonly names: readonly string[]
  readonly subject?: string
  readonly referrer: Descriptor
}

/** Manifests that belong together. */
interface Family {
  readonly members: ReadonlyMap<string, Descriptor>
  /** By subject. */
  readonly referrers: ReadonlyMap<string, readonly Descriptor[]>
  /** False where one was not there: it may come. */
  readonly whole: boolean
}

/** Reads manifests of a layout and remembers, by digest, how they hang together. Digests do not change: nor do the facts. */
export class ManifestFacts {
  readonly #blobs: BlobReader
  readonly #facts = new Map<string, Facts>()
  readonly #indexes = new WeakMap<readonly Descriptor[], Promise<Family>>()
  readonly #all = new WeakMap<readonly Descriptor[], Promise<Family>>()

  constructor(blobs: BlobReader) {
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
      // The chunk's buffer is used again.
      chunks.push(Buffer.from(chunk))
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

  /** `roots` and every manifest below them, by digest; also children that the layout does not hold. Asked for again, it is known. */
  async below(roots: readonly Descriptor[], signal?: AbortSignal): Promise<ReadonlyMap<string, Descriptor>> {
    return (await this.#family(this.#indexes, roots, isIndexType, signal)).members
  }

  /** Of the manifests below `roots`, those whose `subject` is `digest`, as a list of referrers names them. */
  async referrers(
    roots: readonly Descriptor[],
    digest: string,
    signal?: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    return (await this.#family(this.#all, roots, isManifestType, signal)).referrers.get(digest) ?? []
  }

  /** Digests of `roots`, of every manifest below them and of all blobs that these name, there or not. */
  async needs(roots: readonly Descriptor[]): Promise<ReadonlySet<string>> {
    const { members } = await this.#family(this.#all, roots, isManifestType)
    return new Set(
      [...members.keys()].flatMap((digest) => [digest, ...(this.#facts.get(digest)?.names ?? [])]),
    )
  }

  /** Digests of all manifests that an index among or below `roots` contains. */
  async contained(roots: readonly Descriptor[]): Promise<ReadonlySet<string>> {
    const parents = [...(await this.below(roots)).keys()]
    return new Set(
      parents.flatMap((digest) => this.#facts.get(digest)?.children.map((child) => child.digest) ?? []),
    )
  }

  /** The index below `roots` that contains `digest`. */
  async parentOf(roots: readonly Descriptor[], digest: string): Promise<string | undefined> {
    for (const parent of (await this.below(roots)).keys())
      if (this.#facts.get(parent)?.children.some((child) => child.digest === digest)) return parent
    return undefined
  }

  /** The same list of roots has the same family, once all of it has been there to be read. */
  async #family(
    cache: WeakMap<readonly Descriptor[], Promise<Family>>,
    roots: readonly Descriptor[],
    opened: (mediaType: string) => boolean,
    signal?: AbortSignal,
  ): Promise<Family> {
    signal?.throwIfAborted()
    const known = cache.get(roots)
    // Shared by those who ask at the same time: it is not for one of them to stop it.
    const family = known ?? this.#gather(roots, opened)
    if (known === undefined) {
      cache.set(roots, family)
      const forget = () => void cache.delete(roots)
      family.then(({ whole }) => whole || forget(), forget)
    }
    const found = await family
    signal?.throwIfAborted()
    return found
  }

  async #gather(roots: readonly Descriptor[], opened: (mediaType: string) => boolean): Promise<Family> {
    const members = new Map<string, Descriptor>()
    const referrers = new Map<string, Descriptor[]>()
    let whole = true
    const queue = [...roots]
    for (const descriptor of queue) {
      const { digest, mediaType } = descriptor
      if (members.has(digest)) continue
      members.set(digest, descriptor)
      if (!opened(mediaType)) continue
      const facts = this.#facts.get(digest) ?? (await this.#of(descriptor))
      whole &&= facts !== undefined
      for (const child of facts?.children ?? []) queue.push(child)
      if (facts?.subject === undefined) continue
      const others = referrers.get(facts.subject)
      if (others === undefined) referrers.set(facts.subject, [facts.referrer])
      else others.push(facts.referrer)
    }
    return { members, referrers, whole }
  }

  /** Undefined for what is not there: an index may be sparse. */
  async #of(descriptor: Descriptor): Promise<Facts | undefined> {
    try {
      const facts = factsOf(descriptor, await this.bytes(descriptor))
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
  // An empty one counts as none (distribution-spec: listing referrers).
  const artifactType = content.artifactType || content.config?.mediaType
  return {
    children: content.manifests.filter((child) => isManifestType(child.mediaType)),
    names: [content.config, ...content.layers, ...content.manifests].flatMap((blob) => blob?.digest ?? []),
    ...(content.subject === undefined ? {} : { subject: content.subject.digest }),
    referrer: {
      mediaType,
      digest,
      size,
      ...(artifactType ? { artifactType } : {}),
      ...(content.annotations === undefined ? {} : { annotations: { ...content.annotations } }),
    },
  }
}
