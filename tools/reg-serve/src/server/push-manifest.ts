import { hash } from 'node:crypto'
import { isCarryallError } from '@carryall/errors'
import { isDigest, isTag } from '@carryall/schemas'
import { detectMediaType, MAX_MANIFEST, parseManifest } from '@carryall/oci'
import type { Exchange, Writable } from './exchange.ts'
import { Refusal } from './refusal.ts'
import { replyEmpty } from './reply.ts'
import { bodyOf, refuseNoLength } from './request-body.ts'

const MAX_TAGS = 100

/**
 * PUT of a manifest by tag, or by digest with any number of tags, its bytes kept exactly (distribution-spec: pushing
 * manifests).
 */
export async function pushManifest(
  exchange: Exchange,
  store: Writable,
  repository: string,
  reference: string,
): Promise<void> {
  const { request, response, query } = exchange
  const tags = tagsOf(reference, query)
  const bytes = await read(exchange)
  const digest = `sha256:${hash('sha256', bytes)}`
  if (reference.includes(':') && reference !== digest) {
    const why = isDigest(reference) ? `The manifest is ${digest}` : 'Only sha256 digests are taken'
    throw new Refusal(400, 'DIGEST_INVALID', why)
  }
  const mediaType = (request.headers['content-type'] ?? detected(bytes)).split(';')[0]!.trim()
  const { subject } = await theClientsFault(() => parseManifest(bytes, mediaType))
  const names = tags.length > 0 ? tags : [reference]
  await theClientsFault(() =>
    // At once: the store writes its index once for all of them.
    Promise.all(names.map((name) => store.putManifest(repository, name, { digest, mediaType, bytes }))),
  )
  replyEmpty(response, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    'oci-subject': subject?.digest,
    'oci-tag': tags.length > 0 ? tags.join(', ') : undefined,
  })
}

/** Tags beside a digest; a manifest that is pushed by a tag has that one only. */
function tagsOf(reference: string, query: URLSearchParams): readonly string[] {
  if (!reference.includes(':')) return []
  const tags = [...new Set(query.getAll('tag'))]
  if (tags.length > MAX_TAGS)
    throw new Refusal(414, 'UNSUPPORTED', `At most ${MAX_TAGS} tags come with one manifest`)
  const wrong = tags.find((tag) => !isTag(tag))
  if (wrong !== undefined)
    throw new Refusal(400, 'NAME_INVALID', `${JSON.stringify(wrong.slice(0, 256))} is not a tag`)
  return tags
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

async function read(exchange: Exchange): Promise<Buffer> {
  const { request } = exchange
  refuseNoLength(request)
  refuseTooLarge(Number(request.headers['content-length'] ?? 0))
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(exchange)) {
    size += chunk.length
    refuseTooLarge(size)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function refuseTooLarge(size: number): void {
  if (size > MAX_MANIFEST)
    throw new Refusal(413, 'MANIFEST_INVALID', `A manifest has at most ${MAX_MANIFEST} bytes`)
}
