import { hash } from 'node:crypto'
import { ARTIFACT_TYPE, IMAGE_TYPES, INDEX_TYPES } from '../media-types.ts'
import type { Manifest } from '../store.ts'
import { sampleImage } from './samples.ts'

/** A manifest that two readers can take for different images. */
export interface AmbiguousManifest {
  readonly name: string
  readonly manifest: Manifest
  readonly code: 'REG_AMBIGUOUS_MANIFEST' | 'REG_PROTOCOL'
}

/** What the indexes among them name: it is to be there, so that nothing else is wrong with them. */
export const ambiguousChild = sampleImage('child of ambiguous')

const [OCI, DOCKER] = IMAGE_TYPES
const [INDEX, LIST] = INDEX_TYPES
const { config, layers } = JSON.parse(ambiguousChild.manifest.bytes.toString()) as {
  config: object
  layers: readonly object[]
}
const manifests = [{ ...ambiguousChild.descriptor, platform: { architecture: 'amd64', os: 'linux' } }]
const image = { schemaVersion: 2, mediaType: OCI as string, config, layers }
const docker = { ...image, mediaType: DOCKER }
const index = { schemaVersion: 2, mediaType: INDEX as string, manifests }
const list = { ...index, mediaType: LIST }
const artifact = { mediaType: ARTIFACT_TYPE, artifactType: 'application/vnd.example', blobs: layers }
const [firstLayer] = layers
const [firstChild] = manifests

function text(name: string, mediaType: string, json: string | Buffer): AmbiguousManifest {
  const bytes = Buffer.from(json)
  const manifest = { digest: `sha256:${hash('sha256', bytes)}`, mediaType, bytes }
  return { name, manifest, code: 'REG_AMBIGUOUS_MANIFEST' }
}

const of = (name: string, mediaType: string, value: object): AmbiguousManifest =>
  text(name, mediaType, JSON.stringify(value))

const broken = (name: string, json: string | Buffer): AmbiguousManifest => ({
  ...text(name, OCI, json),
  code: 'REG_PROTOCOL',
})

const printed = JSON.stringify(image)

/** Each is fine but for one thing, and is refused by its code. */
export const AMBIGUOUS_MANIFESTS: readonly AmbiguousManifest[] = [
  // Both an image and an index.
  of('an image with manifests', OCI, { ...image, manifests }),
  of('an image with blobs', OCI, { ...image, blobs: layers }),
  of('an image with the layers of schema 1', OCI, { ...image, fsLayers: [] }),
  of('an image of Docker with manifests', DOCKER, { ...docker, manifests }),
  of('an index with layers', INDEX, { ...index, layers }),
  of('an index with a config', INDEX, { ...index, config }),
  of('an index with blobs', INDEX, { ...index, blobs: [] }),
  of('an index with the layers of schema 1', INDEX, { ...index, fsLayers: [] }),
  of('a list of Docker with layers', LIST, { ...list, layers }),
  of('a list of Docker with a config', LIST, { ...list, config }),
  of('an artifact with layers', ARTIFACT_TYPE, { ...artifact, layers }),
  of('an artifact with manifests', ARTIFACT_TYPE, { ...artifact, manifests }),
  of('an artifact with a config', ARTIFACT_TYPE, { ...artifact, config }),
  // Another type inside than outside.
  of('an image that says index', OCI, { ...image, mediaType: INDEX }),
  of('an index that says image', INDEX, { ...index, mediaType: OCI }),
  of('an image of Docker that says OCI', DOCKER, image),
  of('an image of OCI that says Docker', OCI, docker),
  of('an index of OCI that says list of Docker', INDEX, list),
  of('a type that is null', OCI, { ...image, mediaType: null }),
  of('a type that is a list', OCI, { ...image, mediaType: [OCI] }),
  of('a type that is empty', OCI, { ...image, mediaType: '' }),
  // What some read without regard to case.
  of('Layers beside layers', OCI, { ...image, Layers: [] }),
  of('CONFIG beside config', OCI, { ...image, CONFIG: config }),
  of('mediatype beside mediaType', OCI, { ...image, mediatype: INDEX }),
  of('Manifests beside manifests', INDEX, { ...index, Manifests: [] }),
  of('MANIFESTS in an image', OCI, { ...image, MANIFESTS: manifests }),
  of('Subject alone', OCI, { ...image, Subject: ambiguousChild.descriptor }),
  of('Digest in a layer', OCI, { ...image, layers: [{ ...firstLayer, Digest: `sha256:${'0'.repeat(64)}` }] }),
  of('Size in a config', OCI, { ...image, config: { ...config, Size: 1 } }),
  of('Digest in an entry', INDEX, {
    ...index,
    manifests: [{ ...firstChild, DIGEST: `sha256:${'0'.repeat(64)}` }],
  }),
  of('OS in a platform', INDEX, {
    ...index,
    manifests: [{ ...firstChild, platform: { ...firstChild!.platform, OS: 'windows' } }],
  }),
  // The same key twice.
  text('layers twice', OCI, printed.replace(/}$/, ',"layers":[]}')),
  text('layers twice, once escaped', OCI, printed.replace(/}$/, String.raw`,"l\u0061yers":[]}`)),
  text('config twice', OCI, printed.replace('{', '{"config":{},')),
  text('mediaType twice', OCI, printed.replace('{', `{"mediaType":"${INDEX}",`)),
  text('a digest twice', OCI, printed.replace('"digest":', `"digest":"sha256:${'0'.repeat(64)}","digest":`)),
  text('manifests twice', INDEX, JSON.stringify(index).replace('{', '{"manifests":[],')),
  // Two descriptors of one thing.
  of('a layer of two sizes', OCI, { ...image, layers: [...layers, { ...firstLayer, size: 1 }] }),
  of('a child of another type', INDEX, { ...index, manifests: [{ ...firstChild, mediaType: DOCKER }] }),
  of('a child of another size', INDEX, { ...index, manifests: [{ ...firstChild, size: 1 }] }),
  // What is JSON for some only.
  broken('a byte order mark', `\ufeff${printed}`),
  broken(
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from(printed.slice(0, -1)), Buffer.from(',"a":"\xff"}', 'latin1')]),
  ),
  broken('two values', `${printed}${printed}`),
  broken('a list of it', `[${printed}]`),
  broken('a comment', `/* */${printed}`),
  broken('a comma at the end', printed.replace(/}$/, ',}')),
]
