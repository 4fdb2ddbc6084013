import { isCarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import type { BlobOutcome } from '../store.ts'
import type { Access } from './authorizer.ts'
import type { Connection } from './connection.ts'
import { hasBlob } from './get-blob.ts'
import { accessTo, repositoryPath } from './names.ts'
import { refusal } from './refusal.ts'
import { sessionOf, type UploadSession } from './upload-session.ts'
import { checkStored, type UploadTarget } from './upload-target.ts'

/**
 * Asks for the blob to be mounted, from the repository itself if no other is known: one request tells that it is there
 * (201) or opens the upload (202). Where a registry takes that amiss, HEAD and a plain POST do the same.
 */
export async function beginUpload(
  registry: Connection,
  target: UploadTarget,
  mountFrom: string | undefined,
): Promise<BlobOutcome | UploadSession> {
  const from = mountFrom ?? target.repository
  const mounted = await mount(registry, target, from)
  if (mounted?.status === 201) {
    checkStored(mounted, target)
    return from === target.repository ? 'present' : 'mounted'
  }
  if (mounted?.status === 202) return sessionOf(mounted)
  if (await hasBlob(registry, target.repository, target.blob.digest, target.ask.signal)) return 'present'
  return openSession(registry, target)
}

/** A new upload session. */
export async function openSession(registry: Connection, target: UploadTarget): Promise<UploadSession> {
  const answer = await post(registry, target, target.uploads, target.access)
  if (answer.status !== 202)
    throw await refusal(answer, `begin an upload to ${target.repository}`, target.subject)
  await answer.dump()
  return sessionOf(answer)
}

async function mount(
  registry: Connection,
  target: UploadTarget,
  from: string,
): Promise<HttpResponse | undefined> {
  const known = repositoryPath(registry.host, from).slice('/v2/'.length)
  const query = new URLSearchParams({ mount: target.blob.digest, from: known })
  const access = accessTo(registry.host, target.repository, 'pull,push', from)
  try {
    const answer = await post(registry, target, `${target.uploads}?${query.toString()}`, access)
    await answer.dump()
    return answer.status < 300 ? answer : undefined
  } catch (error) {
    // No right to read from the other repository is no reason not to upload.
    if (isCarryallError(error, 'AUTH_DENIED', 'AUTH_REQUIRED') && from !== target.repository) return undefined
    throw error
  }
}

function post(
  registry: Connection,
  target: UploadTarget,
  path: string,
  access: Access,
): Promise<HttpResponse> {
  return registry.request({ method: 'POST', path, access, ...target.ask })
}
