import type { DataSet, ImageSpec, LayerSpec } from './data-set.ts'
import { digestOf, makeLayer } from './make-layer.ts'

/** What is known of a set once it has been made. Sizes in bytes. */
export interface SetFacts {
  readonly images: number
  readonly layers: number
  readonly uniqueBytes: number
  readonly referencedBytes: number
  /** Of the next version: bytes of layers that the first one does not have. */
  readonly nextBytes: number
}

interface Sent {
  readonly digest: string
  readonly diffId: string
  readonly size: number
}

const TYPE = 'application/vnd.oci.image'
const AT_ONCE = 2

/** Makes a set and pushes it by raw HTTP to the registry at `url`: no code under measurement takes part in it. */
export async function publishSet(set: DataSet, url: string): Promise<SetFacts> {
  const images = [...set.images, ...set.next]
  const sent = await sendLayers(url, images)
  for (const image of images) await putImage(url, image, sent)
  const sizeOf = (layer: LayerSpec) => sent.get(layer.seed)!.size
  const unique = new Set(set.images.flatMap((image) => image.layers.map((layer) => layer.seed)))
  const total = (seeds: Iterable<string>) => [...seeds].reduce((sum, seed) => sum + sent.get(seed)!.size, 0)
  return {
    images: set.images.length,
    layers: unique.size,
    uniqueBytes: total(unique),
    referencedBytes: set.images
      .flatMap((image) => image.layers)
      .reduce((sum, layer) => sum + sizeOf(layer), 0),
    nextBytes: total([...sent.keys()].filter((seed) => !unique.has(seed))),
  }
}

/** Sends each layer once and mounts it where else it is needed. */
async function sendLayers(url: string, images: readonly ImageSpec[]): Promise<ReadonlyMap<string, Sent>> {
  const wanted = new Map<string, { layer: LayerSpec; repositories: Set<string> }>()
  for (const { repository, layers } of images) {
    for (const layer of layers) {
      const known = wanted.get(layer.seed) ?? { layer, repositories: new Set() }
      wanted.set(layer.seed, known)
      known.repositories.add(repository)
    }
  }
  const sent = new Map<string, Sent>()
  const queue = wanted.values()
  const worker = async () => {
    for (const { layer, repositories } of queue) {
      const made = await makeLayer(layer)
      const [first, ...others] = repositories
      await putBlob(url, first!, made.digest, made.bytes)
      for (const other of others) await mountBlob(url, other, made.digest, first!)
      const { digest, diffId, bytes } = made
      sent.set(layer.seed, { digest, diffId, size: bytes.length })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return sent
}

async function putImage(url: string, image: ImageSpec, sent: ReadonlyMap<string, Sent>): Promise<void> {
  const layers = image.layers.map((layer) => sent.get(layer.seed)!)
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      author: `${image.repository}:${image.tag}`,
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    }),
  )
  const configDigest = digestOf(config)
  await putBlob(url, image.repository, configDigest, config)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${TYPE}.manifest.v1+json`,
    config: { mediaType: `${TYPE}.config.v1+json`, digest: configDigest, size: config.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: `${TYPE}.layer.v1.tar+gzip`, digest, size })),
  })
  await ask(201, `${url}/v2/${image.repository}/manifests/${image.tag}`, {
    method: 'PUT',
    headers: { 'content-type': `${TYPE}.manifest.v1+json` },
    body: manifest,
  })
}

async function putBlob(url: string, repository: string, digest: string, bytes: Buffer): Promise<void> {
  const begun = await ask(202, `${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(begun.headers.get('location')!, url)
  place.searchParams.set('digest', digest)
  await ask(201, place.href, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length),
  })
}

async function mountBlob(url: string, repository: string, digest: string, from: string): Promise<void> {
  const query = new URLSearchParams({ mount: digest, from })
  await ask(201, `${url}/v2/${repository}/blobs/uploads/?${query.toString()}`, { method: 'POST' })
}

async function ask(wanted: number, url: string, options: RequestInit): Promise<Response> {
  const answer = await fetch(url, options)
  const text = await answer.text()
  if (answer.status !== wanted)
    throw new Error(`${options.method} ${url}: ${answer.status} ${text.slice(0, 500)}`)
  return answer
}
