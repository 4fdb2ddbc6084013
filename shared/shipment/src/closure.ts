import type { BlobLine, Missing } from '@carryall/schemas'

/**
 * What a shipment borrows and `available` does not have, by the sequence that holds it; empty where it is complete.
 * `available(digest, sequence)` says whether the blob can be had, from that sequence or any other. Pure.
 */
export function missing(
  blobs: readonly BlobLine[],
  available: (digest: string, sequence: number) => boolean,
  nameOf: (sequence: number) => string | undefined,
): readonly Missing[] {
  const bySequence = new Map<number, Missing>()
  for (const blob of blobs) {
    if (!('sequence' in blob) || available(blob.digest, blob.sequence)) continue
    const known = bySequence.get(blob.sequence)
    const name = nameOf(blob.sequence)
    bySequence.set(blob.sequence, {
      sequence_number: blob.sequence,
      ...(name === undefined ? {} : { name }),
      blobs: (known?.blobs ?? 0) + 1,
      size_bytes: (known?.size_bytes ?? 0) + blob.size,
    })
  }
  return [...bySequence.values()].sort((a, b) => a.sequence_number - b.sequence_number)
}
