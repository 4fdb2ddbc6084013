import { isManifestType } from '@carryall/oci'
import { byteRange } from './byte-range.ts'
import type { Exchange } from './exchange.ts'
import { Refusal } from './refusal.ts'
import { replyBytes, replyEmpty, write } from './reply.ts'
import { sendFile } from './send-file.ts'

/** GET and HEAD of a manifest: the bytes as they were pushed, whatever Accept says (distribution-spec: pulling manifests). */
export async function pullManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { request, response, store } = exchange
  const found = await store.head(repository, reference)
  // A store may know the digest of a layer as well.
  if (found === undefined || !isManifestType(found.mediaType))
    throw new Refusal(404, 'MANIFEST_UNKNOWN', `There is no manifest ${reference} in ${repository}`)
  const headers = { ...identity(found.digest), 'content-type': found.mediaType }
  if (isUnchanged(exchange, found.digest)) return replyEmpty(response, 304, headers)
  if (request.method === 'HEAD')
    return replyEmpty(response, 200, { ...headers, 'content-length': found.size })
  // By digest: a tag may have moved since.
  const { bytes } = await store.manifest(repository, found.digest)
  replyBytes(request, response, 200, bytes, headers)
}

/** GET and HEAD of a blob, or of one range of it (distribution-spec: pulling blobs; RFC 9110 §14). */
export async function pullBlob(exchange: Exchange, repository: string, digest: string): Promise<void> {
  const { request, response, store } = exchange
  const place = await store.blobPlace(repository, digest)
  if (place === undefined)
    throw new Refusal(404, 'BLOB_UNKNOWN', `There is no blob ${digest} in ${repository}`)
  const { file, offset, size } = place
  const headers = {
    ...identity(digest),
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
  }
  if (isUnchanged(exchange, digest)) return replyEmpty(response, 304, headers)
  // Of HEAD there is no range (RFC 9110 §14.2).
  const range = request.method === 'HEAD' ? undefined : byteRange(rangeHeader(exchange, digest), size)
  if (range === 'unsatisfiable') {
    throw new Refusal(416, 'SIZE_INVALID', `The blob has ${size} bytes`, {
      'content-range': `bytes */${size}`,
    })
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  const length = end - start + 1
  write(response, range === undefined ? 200 : 206, {
    ...headers,
    'content-length': length,
    'content-range': range && `bytes ${start}-${end}/${size}`,
  })
  if (request.method === 'HEAD' || length === 0) return void response.end()
  await sendFile(response, file, offset + start, length)
}

function identity(digest: string): { 'docker-content-digest': string; etag: string } {
  return { 'docker-content-digest': digest, etag: `"${digest}"` }
}

function isUnchanged({ request }: Exchange, digest: string): boolean {
  const known = request.headers['if-none-match']
  return (
    known !== undefined &&
    known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${digest}"` || tag.trim() === '*')
  )
}

function rangeHeader({ request }: Exchange, digest: string): string | undefined {
  const condition = request.headers['if-range']
  return condition === undefined || condition === `"${digest}"` ? request.headers.range : undefined
}
