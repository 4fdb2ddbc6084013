import { isCarryallError } from '@carryall/errors'
import type { Descriptor } from '@carryall/schemas'
import { chunkRange } from './byte-range.ts'
import type { Exchange, Push, Writable } from './exchange.ts'
import { Refusal } from './refusal.ts'
import { bodyOf, largeChunks } from './request-body.ts'
import type { UploadSession } from './upload-session.ts'
import type { UploadSessions } from './upload-sessions.ts'

const BLOB = 'application/octet-stream'

/** Appends the body of a request, whose Content-Range has to fit. Throws a Refusal: 416 where it does not start at the end. */
export async function appendBody(
  exchange: Exchange,
  sessions: UploadSessions,
  session: UploadSession,
): Promise<void> {
  const { request } = exchange
  refuseWrongRange(request.headers['content-range'], request.headers['content-length'], session)
  try {
    await session.append(largeChunks(exchange))
  } catch (error) {
    // The connection broke: the client may ask how far it came. The disk failed: nobody knows.
    if (isCarryallError(error)) await sessions.remove(session)
    throw error
  }
}

/** Takes the last or only bytes of an upload and makes it a blob. Throws a Refusal 400 DIGEST_INVALID; the session stays. */
export async function finishUpload(
  exchange: Exchange,
  push: Push,
  session: UploadSession,
  digest: string,
): Promise<void> {
  const length = Number(exchange.request.headers['content-length'] ?? 0)
  if (session.size === 0 && length > 0)
    await takeWhole(exchange, push.store, session, { mediaType: BLOB, digest, size: length })
  else await takeRest(exchange, push, session, digest)
}

/** All of a blob in the request that names it: it is written once, straight to its place. */
async function takeWhole(
  exchange: Exchange,
  store: Writable,
  session: UploadSession,
  blob: Descriptor,
): Promise<void> {
  const { request } = exchange
  refuseWrongRange(request.headers['content-range'], request.headers['content-length'], session)
  try {
    await store.putBlob(session.repository, blob, () => largeChunks(exchange))
  } catch (error) {
    if (!isCarryallError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH')) throw error
    throw new Refusal(400, 'DIGEST_INVALID', error.message, {}, error)
  }
  // Nothing was read where the blob is there already; clients do not expect an answer before they have sent all.
  for await (const _ of bodyOf(exchange));
}

async function takeRest(
  exchange: Exchange,
  { store, sessions }: Push,
  session: UploadSession,
  digest: string,
): Promise<void> {
  await appendBody(exchange, sessions, session)
  const actual = session.digest()
  if (actual !== digest) throw new Refusal(400, 'DIGEST_INVALID', `The upload is ${actual}, not ${digest}`)
  try {
    await session.close()
    await store.commitStaged({ mediaType: BLOB, digest, size: session.size }, session.file)
  } catch (error) {
    await sessions.remove(session)
    throw error
  }
}

function refuseWrongRange(
  range: string | undefined,
  length: string | undefined,
  session: UploadSession,
): void {
  if (range === undefined) return
  const chunk = chunkRange(range)
  if (chunk === undefined) throw new Refusal(400, 'BLOB_UPLOAD_INVALID', 'Content-Range is not start-end')
  if (chunk.start !== session.size) {
    throw new Refusal(416, 'BLOB_UPLOAD_INVALID', `The upload has ${session.size} bytes`, progress(session))
  }
  if (length !== undefined && Number(length) !== chunk.end - chunk.start + 1) {
    throw new Refusal(400, 'SIZE_INVALID', 'Content-Range and Content-Length disagree')
  }
}

/** Headers that say how far an upload is and where it goes on. */
export function progress(session: UploadSession): Record<string, string> {
  return {
    location: `/v2/${session.repository}/blobs/uploads/${session.id}`,
    // An empty upload says 0-0, too: there is no way to write nothing.
    range: `0-${Math.max(session.size - 1, 0)}`,
    'docker-upload-uuid': session.id,
  }
}
