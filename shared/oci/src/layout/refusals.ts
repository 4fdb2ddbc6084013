import { hash } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import { isDigest, isRepository, isTag, type Descriptor } from '@carryall/schemas'
import type { ManifestContent } from '../manifest.ts'
import { isForeignLayer } from '../media-types.ts'
import type { Manifest } from '../store.ts'
import type { BlobReader } from './blob-reader.ts'
import type { ManifestFacts } from './manifest-facts.ts'

/** Throws REFERENCE_INVALID, DIGEST_MISMATCH. */
export function refuseMisnamed(repository: string, reference: string, manifest: Manifest): void {
  if (!isRepository(repository))
    throw new CarryallError(
      'REFERENCE_INVALID',
      `Cannot write to the repository "${repository}": not a repository name`,
    )
  if (!isTag(reference) && !isDigest(reference))
    throw new CarryallError(
      'REFERENCE_INVALID',
      `Cannot write the manifest "${reference}": not a tag or digest`,
    )
  const actual = `sha256:${hash('sha256', manifest.bytes)}`
  const expected = isDigest(reference) ? reference : manifest.digest
  if (actual === expected && actual === manifest.digest) return
  throw new CarryallError(
    'DIGEST_MISMATCH',
    `Refused a manifest for ${repository}: its bytes are ${actual}, not ${expected}`,
    {
      subject: { kind: 'manifest', name: `${repository}@${expected}`, digest: expected },
      expected,
      actual,
    },
  )
}

/** As a registry does: an image whose parts are absent is not named. Foreign layers live elsewhere; an index may be sparse. */
export async function refuseMissing(
  blobs: BlobReader,
  digest: string,
  { config, layers }: ManifestContent,
): Promise<void> {
  const needed = [
    ...(config === undefined ? [] : [config]),
    ...layers.filter((layer) => !isForeignLayer(layer)),
  ]
  for (const blob of needed) {
    if ((await blobs.size(blob.digest)) !== undefined) continue
    throw new CarryallError(
      'REG_REFUSED',
      `Refused the manifest ${digest}: its blob ${blob.digest} is not in the layout`,
      {
        subject: { kind: 'blob', name: blob.digest, digest: blob.digest },
        actual: 'MANIFEST_BLOB_UNKNOWN',
        hint: 'Write the blobs of an image before its manifest',
      },
    )
  }
}

/** Removing what an index still names would have no effect: it stays reachable through that. Throws REG_REFUSED. */
export async function refuseContained(
  facts: ManifestFacts,
  roots: readonly Descriptor[],
  manifest: Descriptor,
): Promise<void> {
  const others = roots.filter((root) => root.digest !== manifest.digest)
  const parent = await facts.parentOf(others, manifest.digest)
  if (parent === undefined) return
  throw new CarryallError(
    'REG_REFUSED',
    `Refused to remove the manifest ${manifest.digest}: the index ${parent} contains it`,
    {
      subject: { kind: 'manifest', name: manifest.digest, digest: manifest.digest },
      actual: 'UNSUPPORTED',
      hint: `Remove ${parent} first`,
    },
  )
}

export function unknownManifest(directory: string, repository: string, reference: string): CarryallError {
  const name = `${repository}${isDigest(reference) ? '@' : ':'}${reference}`
  return new CarryallError('REG_MANIFEST_UNKNOWN', `The OCI layout "${directory}" has no ${name}`, {
    subject: { kind: 'manifest', name },
    hint: 'See its index.json for what it has',
  })
}

/** The error for a blob that a layout does not have. */
export function unknownBlob(digest: string): CarryallError {
  return new CarryallError('REG_BLOB_UNKNOWN', `The layout has no blob ${digest}`, {
    subject: { kind: 'blob', name: digest, digest },
    hint: 'The layout is incomplete; copy the image into it again',
  })
}
