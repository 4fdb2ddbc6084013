import { createHash } from 'node:crypto'
import { CarryallError, type Subject } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import { type Descriptor, isDigest } from '@carryall/schemas'
import { MAX_MANIFEST, parseManifest } from '../manifest.ts'
import { isManifestType, MANIFEST_TYPES } from '../media-types.ts'
import type { Manifest } from '../store.ts'
import type { Connection, RegistryRequest } from './connection.ts'
import { accessTo, referencePath, repositoryPath } from './names.ts'
import { refusal } from './refusal.ts'
import { requestWhole } from './request-whole.ts'

const ACCEPT = MANIFEST_TYPES.join(', ')

/** HEAD of a manifest, or GET where the registry does not tell all in the headers. */
export async function headManifest(
  registry: Connection,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  const answer = await registry.request(asking('HEAD', registry, repository, reference, signal))
  await answer.dump()
  if (answer.status === 404) return undefined
  if (answer.status === 200) {
    const digest = answer.header('docker-content-digest') ?? ''
    const mediaType = mediaTypeOf(answer)
    const size = Number(answer.header('content-length') ?? Number.NaN)
    if (isDigest(digest) && isManifestType(mediaType) && Number.isSafeInteger(size) && size > 0) {
      if (isDigest(reference) && digest !== reference)
        throw mismatch(registry, repository, reference, reference, digest)
      return { mediaType, digest, size }
    }
  } else if (answer.status === 401 || answer.status === 403) {
    throw await refusal(answer, `show ${repository}:${reference}`, subjectOf(registry, repository, reference))
  }
  const got = await get(registry, repository, reference, signal)
  return got && { mediaType: got.mediaType, digest: got.digest, size: got.bytes.length }
}

/** GET of a manifest, with its digest and its type checked. */
export async function getManifest(
  registry: Connection,
  repository: string,
  reference: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const found = await get(registry, repository, reference, signal)
  if (found) return found
  throw new CarryallError('REG_MANIFEST_UNKNOWN', `${registry.host}/${repository} has no ${reference}`, {
    subject: subjectOf(registry, repository, reference),
    hint: `Check the name; "skopeo list-tags docker://${registry.host}/${repository}" shows what is there`,
  })
}

async function get(
  registry: Connection,
  repository: string,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  const { answer, bytes } = await requestWhole(
    registry,
    asking('GET', registry, repository, reference, signal),
    MAX_MANIFEST,
  )
  if (answer.status === 404) {
    await answer.dump()
    return undefined
  }
  if (bytes === undefined) {
    throw await refusal(answer, `give ${repository}:${reference}`, subjectOf(registry, repository, reference))
  }
  const digest = digestOf(bytes)
  const claimed = answer.header('docker-content-digest')
  for (const expected of [
    isDigest(reference) ? reference : undefined,
    claimed?.startsWith('sha256:') ? claimed : undefined,
  ]) {
    if (expected !== undefined && expected !== digest)
      throw mismatch(registry, repository, reference, expected, digest)
  }
  return { digest, mediaType: parseManifest(bytes, mediaTypeOf(answer)).mediaType, bytes }
}

/** `sha256:…` of bytes in memory. */
export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** What an error about a manifest is about: its tag, or the manifest of that digest. */
export function subjectOf(registry: Connection, repository: string, reference: string): Subject {
  const name = `${registry.host}/${repository}`
  return isDigest(reference)
    ? { kind: 'manifest', name: `${name}@${reference}`, digest: reference }
    : { kind: 'tag', name: `${name}:${reference}` }
}

/** The error for a registry that gives or keeps another manifest than it should. */
export function mismatch(
  registry: Connection,
  repository: string,
  reference: string,
  expected: string,
  actual: string,
): CarryallError {
  return new CarryallError(
    'DIGEST_MISMATCH',
    `${registry.host}/${repository} has ${actual} for ${reference}, not ${expected}`,
    {
      subject: subjectOf(registry, repository, reference),
      expected,
      actual,
      hint: `Run the same command again; if it stays so, ${registry.host} or a cache before it is damaged`,
    },
  )
}

function asking(
  method: 'GET' | 'HEAD',
  registry: Connection,
  repository: string,
  reference: string,
  signal: AbortSignal | undefined,
): RegistryRequest {
  return {
    method,
    path: `${repositoryPath(registry.host, repository)}/manifests/${referencePath(reference)}`,
    access: accessTo(registry.host, repository, 'pull'),
    headers: { accept: ACCEPT },
    ...(signal ? { signal } : {}),
  }
}

function mediaTypeOf(answer: HttpResponse): string {
  return (answer.header('content-type') ?? '').split(';')[0]!.trim()
}
