import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'
import type { Connection } from './connection.ts'
import { accessTo, referencePath, repositoryPath } from './names.ts'
import { refusal } from './refusal.ts'

/**
 * GET of a blob from `offset` on, with a closed Range, as some registries answer 416 to an open one. Not repeated here: who
 * counts the bytes resumes. Throws REG_BLOB_UNKNOWN, REG_PROTOCOL, SIZE_MISMATCH, AUTH_*, NET_*.
 */
export async function* getBlob(
  registry: Connection,
  repository: string,
  blob: Descriptor,
  offset = 0,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  // There is no range of no bytes; an empty blob is still asked for.
  if (offset > 0 && offset >= blob.size) return
  const answer = await registry.request({
    method: 'GET',
    path: blobPath(registry, repository, blob.digest),
    access: accessTo(registry.host, repository, 'pull'),
    headers: offset > 0 ? { range: `bytes=${offset}-${blob.size - 1}` } : {},
    idempotent: false,
    expect: blob.size - offset,
    ...(signal ? { signal } : {}),
  })
  if (offset > 0 && answer.status === 206) await checkRange(registry, answer, blob, offset)
  else if (answer.status !== 200) throw await failure(registry, answer, repository, blob)
  // A server may ignore Range and send all of it.
  let skip = answer.status === 200 ? offset : 0
  for await (const chunk of answer.body) {
    if (skip >= chunk.length) skip -= chunk.length
    else {
      yield skip > 0 ? chunk.subarray(skip) : chunk
      skip = 0
    }
  }
}

/** HEAD of a blob. What cannot be told counts as absent: then it is sent once more. */
export async function hasBlob(
  registry: Connection,
  repository: string,
  digest: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const path = blobPath(registry, repository, digest)
  const answer = await registry.request({
    method: 'HEAD',
    path,
    access: accessTo(registry.host, repository, 'pull'),
    ...(signal ? { signal } : {}),
  })
  await answer.dump()
  // A redirect that leads nowhere is the storage's affair.
  const fromStorage = answer.url.pathname !== path
  if (answer.status === 200) return (answer.header('docker-content-digest') ?? digest) === digest
  if (answer.status === 404 || fromStorage) return false
  throw await refusal(answer, `look for ${digest} in ${repository}`, subjectOf(registry, repository, digest))
}

/** The path of a blob, its digest checked by the grammar. */
function blobPath(registry: Connection, repository: string, digest: string): string {
  return `${repositoryPath(registry.host, repository)}/blobs/${referencePath(digest)}`
}

function subjectOf(registry: Connection, repository: string, digest: string) {
  return { kind: 'blob', name: `${registry.host}/${repository}@${digest}`, digest } as const
}

async function checkRange(
  registry: Connection,
  answer: HttpResponse,
  blob: Descriptor,
  offset: number,
): Promise<void> {
  const range = answer.header('content-range') ?? ''
  const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? []
  if (Number(start) === offset && (total === '*' || Number(total) === blob.size)) return
  await answer.dump()
  throw new CarryallError(
    'REG_PROTOCOL',
    `${registry.host} answers bytes ${offset}-${blob.size - 1} of ${blob.digest} with "${range.slice(0, 100)}"`,
    {
      subject: { kind: 'blob', name: blob.digest, digest: blob.digest },
      expected: `bytes ${offset}-${blob.size - 1}/${blob.size}`,
      actual: range.slice(0, 100),
    },
  )
}

async function failure(
  registry: Connection,
  answer: HttpResponse,
  repository: string,
  blob: Descriptor,
): Promise<CarryallError> {
  const subject = subjectOf(registry, repository, blob.digest)
  if (answer.status === 404) {
    await answer.dump()
    return new CarryallError(
      'REG_BLOB_UNKNOWN',
      `${registry.host}/${repository} has no blob ${blob.digest}`,
      {
        subject,
        hint: `The image is damaged at ${registry.host}: push it there again`,
      },
    )
  }
  if (answer.status === 416) {
    await answer.dump()
    return new CarryallError(
      'SIZE_MISMATCH',
      `${registry.host} has fewer than the ${blob.size} bytes of ${blob.digest}`,
      {
        subject,
        expected: blob.size,
        hint: `The image is damaged at ${registry.host}: push it there again`,
      },
    )
  }
  return refusal(answer, `give the blob ${blob.digest}`, subject)
}
