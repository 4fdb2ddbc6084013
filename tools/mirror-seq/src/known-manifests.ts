import { isCarryallError } from '@carryall/errors'
import type { Manifest, Source } from '@carryall/oci'

/**
 * A source whose manifests are taken from an earlier sequence where one has them: a tag then costs one HEAD, which no
 * registry counts as a pull, and the manifests below it nothing. `known` verifies what it gives.
 */
export function withKnownManifests(
  source: Source,
  isKnown: (digest: string) => boolean,
  known: Source,
): Source {
  return {
    ...source,
    async manifest(repository, reference, signal): Promise<Manifest> {
      const digest = reference.startsWith('sha256:')
        ? reference
        : (await source.head(repository, reference, signal))?.digest
      if (digest === undefined) return source.manifest(repository, reference, signal)
      if (!isKnown(digest)) return source.manifest(repository, digest, signal)
      try {
        return await known.manifest(repository, digest, signal)
      } catch (error) {
        // A copy that is damaged is no reason to fail: its origin has it.
        if (isCarryallError(error, 'DIGEST_MISMATCH', 'INPUT_NOT_FOUND'))
          return source.manifest(repository, digest, signal)
        throw error
      }
    },
  }
}
