import { isDigest } from '@carryall/schemas'
import type { Exchange, Push } from './exchange.ts'
import { Refusal } from './refusal.ts'
import { replyEmpty } from './reply.ts'
import { refuseNoLength } from './request-body.ts'
import { appendBody, finishUpload, progress } from './upload-body.ts'
import type { UploadSession } from './upload-session.ts'

/** POST: opens an upload, mounts a blob that is there, or takes a whole one (distribution-spec: pushing blobs). */
export async function startUpload(exchange: Exchange, push: Push, repository: string): Promise<void> {
  const { query, response } = exchange
  const mount = query.get('mount')
  if (mount !== null && (await push.store.hasBlob(repository, mount)))
    return replyCreated(exchange, repository, mount)
  const digest = query.get('digest')
  if (digest !== null) refuseDigest(digest)
  const algorithm = query.get('digest-algorithm') ?? 'sha256'
  if (algorithm !== 'sha256') throw new Refusal(400, 'DIGEST_INVALID', 'Only sha256 digests are taken')
  const session = push.sessions.open(repository)
  if (digest === null) return replyEmpty(response, 202, progress(session))
  try {
    await finishUpload(exchange, push, session, digest)
  } finally {
    await push.sessions.remove(session)
  }
  replyCreated(exchange, repository, digest)
}

/** PATCH: appends a chunk, or a stream that says no range. A chunk that does not start at the end is refused with 416. */
export async function continueUpload(
  exchange: Exchange,
  { sessions }: Push,
  session: UploadSession,
): Promise<void> {
  refuseNoLength(exchange.request)
  await sessions.exclusively(session, () => appendBody(exchange, sessions, session))
  replyEmpty(exchange.response, 202, progress(session))
}

/** PUT: appends what is left and closes the upload. With a wrong digest the session stays, with all that came. */
export async function closeUpload(exchange: Exchange, push: Push, session: UploadSession): Promise<void> {
  const digest = exchange.query.get('digest')
  if (digest === null) throw new Refusal(400, 'DIGEST_INVALID', 'The upload is closed without a digest')
  refuseDigest(digest)
  await push.sessions.exclusively(session, async () => {
    await finishUpload(exchange, push, session, digest)
    await push.sessions.remove(session)
  })
  replyCreated(exchange, session.repository, digest)
}

/** GET: how far an upload is. */
export function uploadStatus({ response }: Exchange, session: UploadSession): void {
  replyEmpty(response, 204, progress(session))
}

/** DELETE: gives an upload up. */
export async function cancelUpload(
  { response }: Exchange,
  { sessions }: Push,
  session: UploadSession,
): Promise<void> {
  await sessions.exclusively(session, () => sessions.remove(session))
  replyEmpty(response, 204)
}

function refuseDigest(digest: string): void {
  if (!isDigest(digest))
    throw new Refusal(400, 'DIGEST_INVALID', 'The digest is not sha256: and 64 hex digits')
}

function replyCreated({ response }: Exchange, repository: string, digest: string): void {
  replyEmpty(response, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  })
}
