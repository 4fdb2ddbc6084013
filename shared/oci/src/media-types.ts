/** Manifest media types of image-spec and of Docker's schema 2, in the order in which they are asked for. */
export const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
] as const

export const IMAGE_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const

/** Withdrawn from image-spec 1.1, still found in registries. Its `blobs` are what an image manifest calls `layers`. */
export const ARTIFACT_TYPE = 'application/vnd.oci.artifact.manifest.v1+json'

/** Every manifest type that is accepted: without all of them in Accept, registries convert or answer 404. */
export const MANIFEST_TYPES: readonly string[] = [...INDEX_TYPES, ...IMAGE_TYPES, ARTIFACT_TYPE]

export function isIndexType(mediaType: string): boolean {
  return (INDEX_TYPES as readonly string[]).includes(mediaType)
}

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.includes(mediaType)
}

/** True for layers that may not be pushed to another registry, or that are fetched from elsewhere. */
export function isForeignLayer(layer: {
  readonly mediaType: string
  readonly urls?: readonly string[] | undefined
}): boolean {
  return /foreign|nondistributable/.test(layer.mediaType) || (layer.urls?.length ?? 0) > 0
}
