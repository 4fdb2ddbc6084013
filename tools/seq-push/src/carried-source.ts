import type { Destination, Source } from '@carryall/oci'
import { sequenceStore, type SequenceStore } from '@carryall/sequence'
import type { Carried } from './carried.ts'

/**
 * What is carried, and behind it what the destination holds in some other repository: a blob that cannot be mounted and
 * a manifest are read there. Every byte is verified by whoever reads it, whichever side it comes from.
 */
export function carriedSource(
  carried: Carried,
  there: ReadonlyMap<string, string>,
  destination: Destination,
): Source & Pick<SequenceStore, 'close'> {
  const here = sequenceStore(carried.images, carried.locations)
  return {
    ...here,
    manifest: (repository, reference, signal) => {
      const elsewhere = there.get(reference)
      return elsewhere === undefined
        ? here.manifest(repository, reference, signal)
        : destination.manifest(elsewhere, reference, signal)
    },
    blob: (repository, blob, offset, signal) => {
      const elsewhere = there.get(blob.digest)
      return elsewhere === undefined
        ? here.blob(repository, blob, offset, signal)
        : destination.blob(elsewhere, blob, offset, signal)
    },
  }
}
