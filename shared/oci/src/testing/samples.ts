import { createCipheriv, hash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Descriptor } from '@carryall/schemas'
import type { Destination, Manifest } from '../store.ts'
import { verified } from '../verified.ts'

const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'

export interface SampleBlob {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
  /** Of a layer: the digest of what it unpacks to. */
  readonly diffId?: string
  /** The bytes as `putBlob` wants them. */
  open(): AsyncIterable<Buffer>
}

/** A manifest with the blobs and manifests that it needs, those first. */
export interface Sample {
  readonly manifest: Manifest
  readonly descriptor: Descriptor
  readonly blobs: readonly SampleBlob[]
  readonly children: readonly Sample[]
}

/** A blob with the bytes given, or with `size` bytes that follow from `seed` and do not compress. */
export function sampleBlob(
  content: string | Buffer | { readonly seed: string; readonly size: number },
  mediaType = 'application/octet-stream',
): SampleBlob {
  const bytes =
    typeof content === 'string'
      ? Buffer.from(content)
      : Buffer.isBuffer(content)
        ? content
        : keyStream(content.seed, content.size)
  const descriptor = { mediaType, digest: `sha256:${hash('sha256', bytes)}`, size: bytes.length }
  return { descriptor, bytes, open: () => verified(chunks(bytes), descriptor) }
}

/** A layer that is compressed as its type says and unpacks to `size` bytes, so that other tools leave it as it is. */
export function sampleLayer(seed: string, size: number, mediaType = `${OCI}.layer.v1.tar+gzip`): SampleBlob {
  const plain = keyStream(seed, size)
  const bytes = mediaType.endsWith('gzip')
    ? gzipSync(plain, { level: 1 })
    : mediaType.endsWith('zstd')
      ? zstdCompressSync(plain)
      : plain
  return { ...sampleBlob(bytes, mediaType), diffId: `sha256:${hash('sha256', plain)}` }
}

export interface SampleImageOptions {
  readonly docker?: boolean
  /** What the layers unpack to, in bytes; two small ones if absent. */
  readonly layers?: readonly number[]
  readonly layerType?: string
  readonly architecture?: string
  /** Layers that are put in as they are, such as those shared with another image. */
  readonly shared?: readonly SampleBlob[]
}

/** An image that follows from `seed`; Docker's are printed with three spaces, as Docker does. */
export function sampleImage(seed: string, options: SampleImageOptions = {}): Sample {
  const { docker = false, layers = [1000, 2000], architecture = 'amd64' } = options
  const layerType =
    options.layerType ?? (docker ? `${DOCKER}.image.rootfs.diff.tar.gzip` : `${OCI}.layer.v1.tar+gzip`)
  const configType = docker ? `${DOCKER}.container.image.v1+json` : `${OCI}.config.v1+json`
  const made = layers.map((size, index) => sampleLayer(`${seed}/${index}`, size, layerType))
  const all = [...made, ...(options.shared ?? [])]
  const rootfs = { type: 'layers', diff_ids: all.map((layer) => layer.diffId ?? layer.descriptor.digest) }
  const config = sampleBlob(
    JSON.stringify({ architecture, os: 'linux', author: seed, config: {}, rootfs }),
    configType,
  )
  const mediaType = docker ? `${DOCKER}.distribution.manifest.v2+json` : `${OCI}.manifest.v1+json`
  const value = {
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: all.map((layer) => layer.descriptor),
  }
  return sample(Buffer.from(JSON.stringify(value, null, docker ? 3 : 0)), mediaType, [config, ...all])
}

/** An index of images and of other indexes. */
export function sampleIndex(
  children: readonly Sample[],
  options: { readonly docker?: boolean } = {},
): Sample {
  const mediaType = options.docker ? `${DOCKER}.distribution.manifest.list.v2+json` : `${OCI}.index.v1+json`
  const value = { schemaVersion: 2, mediaType, manifests: children.map(platformed) }
  return sample(Buffer.from(JSON.stringify(value)), mediaType, [], children)
}

/** An artifact that is attached to `subject`, in the way of OCI 1.1. */
export function sampleArtifact(
  seed: string,
  subject: Descriptor,
  artifactType = 'application/vnd.example.signature',
): Sample {
  const mediaType = `${OCI}.manifest.v1+json`
  const config = sampleBlob('{}', 'application/vnd.oci.empty.v1+json')
  const payload = sampleBlob(`payload of ${seed}`, artifactType)
  const { digest, size } = subject
  const value = {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: config.descriptor,
    layers: [payload.descriptor],
    subject: { mediaType: subject.mediaType, digest, size },
    annotations: { 'org.example.seed': seed },
  }
  return sample(Buffer.from(JSON.stringify(value)), mediaType, [config, payload])
}

/** Pushes a sample as a client does: blobs, children by digest, then the manifest under `reference`, or its digest. */
export async function pushSample(
  store: Destination,
  repository: string,
  what: Sample,
  reference = what.manifest.digest,
): Promise<void> {
  for (const blob of what.blobs) await store.putBlob(repository, blob.descriptor, blob.open)
  for (const child of what.children) await pushSample(store, repository, child)
  await store.putManifest(repository, reference, what.manifest)
}

function sample(
  bytes: Buffer,
  mediaType: string,
  blobs: readonly SampleBlob[],
  children: readonly Sample[] = [],
): Sample {
  const digest = `sha256:${hash('sha256', bytes)}`
  return {
    manifest: { digest, mediaType, bytes },
    descriptor: { mediaType, digest, size: bytes.length },
    blobs,
    children,
  }
}

function platformed(child: Sample): Descriptor {
  if (child.children.length > 0) return child.descriptor
  const { architecture = 'amd64' } = JSON.parse(child.blobs[0]?.bytes.toString() ?? '{}') as {
    architecture?: string
  }
  return { ...child.descriptor, platform: { architecture, os: 'linux' } }
}

function keyStream(seed: string, size: number): Buffer {
  const key = Buffer.from(hash('sha256', seed), 'hex')
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536)
}
