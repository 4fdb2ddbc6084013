import { CarryallError, type Subject } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'
import type { Access } from './authorizer.ts'
import type { Connection } from './connection.ts'
import { accessTo, referencePath, repositoryPath } from './names.ts'
import { refused, registryError } from './refusal.ts'

const LOST = new Set(['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID'])
const RECEIVED_OTHERS = new Set(['DIGEST_INVALID', 'SIZE_INVALID'])

/** A blob on its way into a repository. */
export interface UploadTarget {
  readonly repository: string
  readonly blob: Descriptor
  /** Path of the upload endpoint. */
  readonly uploads: string
  readonly access: Access
  readonly subject: Subject
  /** For each request of an upload: a failure is repeated with a new session, never within one. */
  readonly ask: { readonly idempotent: false; readonly signal?: AbortSignal }
}

export function uploadTarget(
  registry: Connection,
  repository: string,
  blob: Descriptor,
  signal: AbortSignal | undefined,
): UploadTarget {
  const { host } = registry
  const digest = referencePath(blob.digest)
  return {
    repository,
    blob,
    uploads: `${repositoryPath(host, repository)}/blobs/uploads/`,
    access: accessTo(host, repository, 'pull,push'),
    subject: { kind: 'blob', name: `${host}/${repository}@${digest}`, digest },
    ask: { idempotent: false, ...(signal ? { signal } : {}) },
  }
}

/** The URL that closes an upload. The location's query is the registry's own and kept as it is. */
export function closingUrl(location: URL, { blob }: UploadTarget): URL {
  const url = new URL(location)
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(blob.digest)}`
  return url
}

/** Throws DIGEST_MISMATCH where the registry says that it has stored something else. */
export function checkStored(answer: HttpResponse, { blob, subject }: UploadTarget): void {
  const stored = answer.header('docker-content-digest')
  if (!stored?.startsWith('sha256:') || stored === blob.digest) return
  throw new CarryallError('DIGEST_MISMATCH', `${answer.url.host} stored ${stored} for ${blob.digest}`, {
    subject,
    expected: blob.digest,
    actual: stored,
    hint: `${answer.url.host} does not keep what it is given; see its log`,
  })
}

/** An answer that ends an upload: a lost session is retryable with a new one, wrong bytes are DIGEST_MISMATCH. */
export async function uploadError(answer: HttpResponse, target: UploadTarget): Promise<CarryallError> {
  const said = await registryError(answer)
  const { host } = answer.url
  const { subject, blob } = target
  if (RECEIVED_OTHERS.has(said.code ?? '')) {
    return new CarryallError(
      'DIGEST_MISMATCH',
      `${host} received other bytes for ${blob.digest} than were sent`,
      {
        subject,
        expected: blob.digest,
        hint: `Run the same command again; if it stays so, a proxy before ${host} changes uploads`,
      },
    )
  }
  if (answer.status === 404 || answer.status === 416 || LOST.has(said.code ?? '')) {
    return new CarryallError(
      'NET_UNAVAILABLE',
      `${host} lost the upload of ${blob.digest}: ${said.code ?? answer.status}`,
      {
        subject,
        actual: said.code ?? answer.status,
        retryable: true,
        hint: 'Run the same command again; registries that share an address need the same http secret and storage',
      },
    )
  }
  return refused(answer, said, `take the blob ${blob.digest}`, subject)
}
