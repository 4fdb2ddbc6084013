import type { RegistryFiles } from './registry-files.ts'

export interface ManifestJson {
  readonly mediaType?: string
  readonly artifactType?: string
  readonly config?: { readonly digest: string; readonly mediaType: string; readonly size: number }
  readonly layers?: readonly { readonly digest: string; readonly size: number }[]
  readonly manifests?: readonly ChildJson[]
  readonly subject?: { readonly digest: string }
  readonly annotations?: Readonly<Record<string, string>>
}

interface ChildJson {
  readonly digest: string
  readonly size: number
  readonly mediaType: string
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string }
}

export interface ConfigJson {
  readonly architecture?: string
  readonly os?: string
  readonly created?: string
  readonly config?: { readonly Labels?: Readonly<Record<string, string>> }
}

/** A manifest of the store, read. */
export interface StoredImage {
  readonly digest: string
  readonly bytes: Buffer
  readonly mediaType: string
  readonly json: ManifestJson
  readonly isList: boolean
  /** Compressed bytes of all layers; null for a list. */
  readonly layersSize: number | null
  /** Undefined where there is none, or one of another format. */
  config(): ConfigJson | undefined
}

export function storedImage(files: RegistryFiles, digest: string): StoredImage {
  const bytes = files.bytes(digest)
  const json = JSON.parse(bytes.toString()) as ManifestJson
  const isList = json.manifests !== undefined
  return {
    digest,
    bytes,
    json,
    isList,
    mediaType: json.mediaType ?? `application/vnd.oci.image.${isList ? 'index' : 'manifest'}.v1+json`,
    layersSize: isList ? null : (json.layers ?? []).reduce((sum, { size }) => sum + size, 0),
    config: () => {
      const { mediaType = '', digest: config = '' } = json.config ?? {}
      if (!/(?:oci\.image\.config|docker\.container\.image)\.v1\+json$/.test(mediaType)) return undefined
      return JSON.parse(files.bytes(config).toString()) as ConfigJson
    },
  }
}

/** An index of the manifests that name `digest` as their subject (distribution-spec: referrers). */
export function referrersIndex(
  files: RegistryFiles,
  repository: string,
  digest: string,
  artifactType?: string | null,
): string {
  const manifests = files
    .manifests(repository)
    .map((manifest) => storedImage(files, manifest.digest))
    .filter(({ json }) => json.subject?.digest === digest)
    .map(({ json, bytes, mediaType, digest: own }) => ({
      mediaType,
      size: bytes.length,
      digest: own,
      artifactType: json.artifactType ?? json.config?.mediaType,
      ...(json.annotations ? { annotations: json.annotations } : {}),
    }))
    .filter((each) => !artifactType || each.artifactType === artifactType)
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests,
  })
}
