import { hash } from 'node:crypto'
import { isCarryallError } from '@carryall/errors'
import { isDigest } from '@carryall/schemas'
import { detectMediaType, MAX_MANIFEST, parseManifest } from '@carryall/oci'
import type { Exchange, Writable } from './exchange.ts'
import { Refusal } from './refusal.ts'
import { replyEmpty } from './reply.ts'
import { bodyOf } from './request-body.ts'

/** PUT of a manifest by tag or digest, its bytes kept exactly (distribution-spec: pushing manifests). */
export async function pushManifest(
  exchange: Exchange,
  store: Writable,
  repository: string,
  reference: string,
): Promise<void> {
  const { request, response } = exchange
  const bytes = await read(bodyOf(request))
  const digest = `sha256:${hash('sha256', bytes)}`
  if (reference.includes(':') && reference !== digest) {
    const why = isDigest(reference) ? `The manifest is ${digest}` : 'Only sha256 digests are taken'
    throw new Refusal(400, 'DIGEST_INVALID', why)
  }
  const mediaType = (request.headers['content-type'] ?? detected(bytes)).split(';')[0]!.trim()
  const { subject } = await theClientsFault(() => parseManifest(bytes, mediaType))
  await theClientsFault(() => store.putManifest(repository, reference, { digest, mediaType, bytes }))
  replyEmpty(response, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    'oci-subject': subject?.digest,
  })
}

function detected(bytes: Buffer): string {
  try {
    return detectMediaType(bytes)
  } catch (error) {
    throw new Refusal(400, 'MANIFEST_INVALID', (error as Error).message)
  }
}

/** What is wrong with the client's manifest is the client's error: 400 instead of 500. */
async function theClientsFault<T>(use: () => T | Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (isCarryallError(error, 'REG_REFUSED') && error.details.actual === 'MANIFEST_BLOB_UNKNOWN') {
      throw new Refusal(400, 'MANIFEST_BLOB_UNKNOWN', error.message, {}, error)
    }
    if (
      isCarryallError(
        error,
        'REG_REFUSED',
        'REG_PROTOCOL',
        'REG_AMBIGUOUS_MANIFEST',
        'REG_UNSUPPORTED_MANIFEST',
        'SCHEMA_INVALID',
        'INPUT_SYNTAX',
      )
    ) {
      throw new Refusal(400, 'MANIFEST_INVALID', error.message, {}, error)
    }
    throw error
  }
}

async function read(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_MANIFEST)
      throw new Refusal(413, 'MANIFEST_INVALID', `A manifest has at most ${MAX_MANIFEST} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
