import { CarryallError } from '@carryall/errors'
import {
  artifactManifestSchema,
  imageManifestSchema,
  indexManifestSchema,
  parseValue,
  type Descriptor,
} from '@carryall/schemas'
import { ARTIFACT_TYPE, INDEX_TYPES, isIndexType, isManifestType } from './media-types.ts'
import { repeatedKey } from './repeated-key.ts'

/** Registries have to take manifests of at least this size, and nothing larger is read. */
export const MAX_MANIFEST = 4 * 1024 * 1024

/** What a manifest refers to. An index has `manifests`; anything else has `layers` and mostly a `config`. */
export interface ManifestContent {
  readonly mediaType: string
  readonly config?: Descriptor
  readonly layers: readonly Descriptor[]
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

const KEYS = [
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'blobs',
  'manifests',
  'subject',
  'annotations',
]
const DESCRIPTOR_KEYS = [
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'data',
  'artifactType',
  'platform',
]
const PLATFORM_KEYS = ['architecture', 'os', 'os.version', 'os.features', 'variant', 'features']

/**
 * Reads a manifest whose type is `contentType`, as the registry or the descriptor says. Refuses what two readers could
 * understand differently: another `mediaType` inside, keys of both an index and an image, keys that are there twice or differ
 * from known ones in case only (REG_AMBIGUOUS_MANIFEST); and Docker schema 1 and unknown types (REG_UNSUPPORTED_MANIFEST). image-spec: manifest, image-index.
 */
export function parseManifest(bytes: Buffer, contentType: string): ManifestContent {
  const mediaType = contentType.split(';')[0]!.trim()
  if (!isManifestType(mediaType)) {
    throw new CarryallError('REG_UNSUPPORTED_MANIFEST', `Cannot use a manifest of type "${mediaType}"`, {
      hint: 'Docker schema 1 and unknown manifest types cannot be carried; rebuild or convert the image at its source',
      actual: mediaType,
    })
  }
  if (bytes.length > MAX_MANIFEST)
    throw new CarryallError(
      'REG_PROTOCOL',
      `The manifest has ${bytes.length} bytes; at most ${MAX_MANIFEST} are read`,
    )
  const value = parseObject(bytes)
  refuseAmbiguous(value, mediaType)
  const where = `manifest (${mediaType})`
  if (isIndexType(mediaType))
    return { ...tidy(parseValue(indexManifestSchema, value, where)), mediaType, layers: [] }
  if (mediaType === ARTIFACT_TYPE) {
    const { blobs, ...rest } = parseValue(artifactManifestSchema, value, where)
    return { ...tidy(rest), mediaType, layers: blobs ?? [], manifests: [] }
  }
  return { ...tidy(parseValue(imageManifestSchema, value, where)), mediaType, manifests: [] }
}

/** The media type that manifest bytes claim or, by their keys, have; for places that do not record one. */
export function detectMediaType(bytes: Buffer): string {
  const value = parseObject(bytes)
  if (typeof value.mediaType === 'string') return value.mediaType
  return Array.isArray(value.manifests) ? INDEX_TYPES[0] : 'application/vnd.oci.image.manifest.v1+json'
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let text: string
  let value: unknown
  try {
    // With a byte order mark it is no JSON, although some skip it.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch (cause) {
    throw new CarryallError('REG_PROTOCOL', 'The manifest is not JSON', { cause })
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new CarryallError('REG_PROTOCOL', 'The manifest is not a JSON object')
  const twice = repeatedKey(text)
  if (twice !== undefined) throw ambiguous(`it has the key "${twice}" twice`)
  return value as Record<string, unknown>
}

function refuseAmbiguous(value: Record<string, unknown>, mediaType: string): void {
  const inside = value.mediaType
  if (inside !== undefined && inside !== mediaType)
    throw ambiguous(`it is served as "${mediaType}" and says "${String(inside)}" itself`)
  const index = isIndexType(mediaType)
  const foreign = index
    ? ['config', 'layers', 'blobs', 'fsLayers']
    : mediaType === ARTIFACT_TYPE
      ? ['manifests', 'layers', 'config', 'fsLayers']
      : ['manifests', 'blobs', 'fsLayers']
  const clash = foreign.find((key) => key in value)
  if (clash !== undefined) throw ambiguous(`a manifest of type "${mediaType}" has the key "${clash}"`)
  refuseOtherCase(value, KEYS)
  const { config, subject, layers, blobs, manifests } = value
  for (const descriptor of [config, subject, layers, blobs, manifests].flat()) {
    refuseOtherCase(descriptor, DESCRIPTOR_KEYS)
    refuseOtherCase((descriptor as Record<string, unknown> | undefined)?.platform, PLATFORM_KEYS)
  }
}

/** Go, in which most registries and engines are written, takes keys whatever their case. */
function refuseOtherCase(value: unknown, known: readonly string[]): void {
  if (value === null || typeof value !== 'object') return
  for (const key of Object.keys(value)) {
    const meant = known.find((name) => name.toLowerCase() === key.toLowerCase())
    if (meant !== undefined && meant !== key) throw ambiguous(`the key "${key}" reads as "${meant}" for some`)
  }
}

function ambiguous(why: string): CarryallError {
  return new CarryallError('REG_AMBIGUOUS_MANIFEST', `Refused an ambiguous manifest: ${why}`, {
    hint: 'Two readers could take it for different images; have it pushed again by its owner',
  })
}

/** zod leaves optional keys out already; this only narrows `undefined` away for exact optional properties. */
function tidy<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return value as { [K in keyof T]: Exclude<T[K], undefined> }
}
