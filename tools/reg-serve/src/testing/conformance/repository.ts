import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { locationOf, sha256, type Answer, type Call, type RegistryClient } from './client.ts'

export const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'
export const EMPTY = 'application/vnd.oci.empty.v1+json'
export const OCTETS = 'application/octet-stream'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

export interface Pushed {
  readonly bytes: Buffer
  readonly digest: string
  readonly mediaType: string
}

export interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** One repository of a registry under test, with what a client does in it; each is new. */
export class Repository {
  readonly client: RegistryClient
  readonly name: string

  constructor(client: RegistryClient, name = `conformance/${randomUUID()}`) {
    this.client = client
    this.name = name
  }

  call(method: string, path: string, call?: Call): Promise<Answer> {
    return this.client.call(method, `/v2/${this.name}/${path}`, call)
  }

  /** Opens an upload and gives back where it goes on. */
  async open(query = ''): Promise<Answer> {
    const opened = await this.call('POST', `blobs/uploads/${query}`, { headers: { 'content-length': '0' } })
    expect(opened.status).toBe(202)
    return opened
  }

  async pushBlob(bytes: Buffer, mediaType = OCTETS): Promise<Described> {
    const digest = sha256(bytes)
    const put = await this.client.call('PUT', locationOf(await this.open(), { digest }), {
      headers: { 'content-type': OCTETS },
      body: bytes,
    })
    expect(put.status).toBe(201)
    return { mediaType, digest, size: bytes.length }
  }

  putManifest(reference: string, { bytes, mediaType }: Omit<Pushed, 'digest'>): Promise<Answer> {
    return this.call('PUT', `manifests/${reference}`, { headers: { 'content-type': mediaType }, body: bytes })
  }

  /** Pushes a manifest by its digest or under a tag. */
  async pushManifest(value: object, reference?: string): Promise<Pushed & Described> {
    const manifest = printed(value)
    const put = await this.putManifest(reference ?? manifest.digest, manifest)
    expect(put.status).toBe(201)
    return { ...manifest, size: manifest.bytes.length }
  }

  /** An image manifest whose config and layer are there already. */
  async image(more: object = {}): Promise<object> {
    const config = JSON.stringify({ architecture: 'amd64', os: 'linux', author: randomUUID() })
    return {
      schemaVersion: 2,
      mediaType: IMAGE,
      config: await this.pushBlob(Buffer.from(config), CONFIG),
      layers: [await this.pushBlob(randomBytes(300), LAYER)],
      ...more,
    }
  }

  /** A manifest of something else than an image, as OCI 1.1 has it. */
  async artifact(artifactType: string, more: object = {}): Promise<object> {
    return {
      schemaVersion: 2,
      mediaType: IMAGE,
      artifactType,
      config: await this.pushBlob(Buffer.from('{}'), EMPTY),
      layers: [await this.pushBlob(randomBytes(100), artifactType)],
      ...more,
    }
  }

  /** That it is there, byte by byte. */
  async holds(path: string, { bytes, digest, mediaType }: Pushed): Promise<void> {
    for (const method of ['GET', 'HEAD']) {
      const answer = await this.call(method, path, { headers: { accept: `${IMAGE}, ${INDEX}` } })
      expect(answer.status).toBe(200)
      expect(answer.headers['docker-content-digest']).toBe(digest)
      expect(answer.headers['content-type']).toBe(mediaType)
      expect(answer.headers['content-length']).toBe(String(bytes.length))
      if (method === 'GET') expect(answer.body.equals(bytes)).toBe(true)
    }
  }

  async lacks(path: string): Promise<void> {
    for (const method of ['GET', 'HEAD']) expect((await this.call(method, path)).status).toBe(404)
  }
}

/** A manifest as it is sent; its bytes are not what a serializer would make of them. */
export function printed(value: object): Pushed {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 3)}\n `)
  return { bytes, digest: sha256(bytes), mediaType: (value as { mediaType: string }).mediaType }
}

export function descriptorOf({ mediaType, digest, size }: Described): Described {
  return { mediaType, digest, size }
}
