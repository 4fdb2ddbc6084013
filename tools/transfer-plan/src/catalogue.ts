import type { BlobLine, ShipmentDocument } from '@carryall/schemas'

/** What a shipment brings and what it takes from others, as numbers of a catalogue. */
export interface Content {
  /** Itself first. */
  readonly held: Uint32Array
  readonly borrowed: Uint32Array
  /** Number of the shipment that its index, or its metadata, says to have each of what is borrowed. */
  readonly lenders: Uint32Array
}

/**
 * Numbers for digests: of blobs, and of metadata, by which a shipment without an index names what it needs. An index of a
 * hundred thousand blobs becomes a few arrays of numbers, and a digest that all shipments share is kept once.
 */
export class Catalogue {
  readonly #numbers = new Map<string, number>()
  readonly #bytes: number[] = []

  /** How many digests it has; their numbers begin with 0. */
  get size(): number {
    return this.#bytes.length
  }

  bytesOf(item: number): number {
    return this.#bytes[item]!
  }

  /**
   * Content of a shipment by its index; without one, by the shipments that it declares to need. Every shipment holds its
   * own metadata, so that the two kinds can depend on one another.
   */
  contentOf(
    metadataDigest: string,
    metadata: Pick<ShipmentDocument, 'dependencies'>,
    index: readonly BlobLine[] | undefined,
  ): Content {
    const held = [this.#number(metadataDigest, 0)]
    const borrowed: number[] = []
    const lenders: number[] = []
    for (const blob of index ?? []) {
      const item = this.#number(blob.digest, blob.size)
      if ('archive' in blob) held.push(item)
      else {
        borrowed.push(item)
        lenders.push(blob.sequence)
      }
    }
    for (const dependency of index === undefined ? metadata.dependencies : []) {
      borrowed.push(this.#number(dependency.metadata_digest, 0))
      lenders.push(dependency.sequence_number)
    }
    return {
      held: Uint32Array.from(held),
      borrowed: Uint32Array.from(borrowed),
      lenders: Uint32Array.from(lenders),
    }
  }

  #number(digest: string, bytes: number): number {
    const known = this.#numbers.get(digest)
    if (known !== undefined) return known
    // A copy: what was cut out of a text keeps all of the text in memory.
    this.#numbers.set(Buffer.from(digest).toString('latin1'), this.#bytes.length)
    return this.#bytes.push(bytes) - 1
  }
}
