import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import { transfer, type Upload } from './transfer.ts'
import { follow, type UploadSession } from './upload-session.ts'
import { askStatus, takenBy } from './upload-status.ts'
import { checkStored, closingUrl, uploadError } from './upload-target.ts'

const TOO_LARGE = 413
const WRONG_RANGE = 416
const NOT_THIS_WAY = new Set([405, 411, 415, 501])

/**
 * Sends what a session lacks of a blob and closes it: with one PUT where nothing was sent yet and the registry takes that,
 * else with PATCHes and an empty PUT (distribution-spec: pushing blobs). False where the registry has shown that it wants
 * it in another way, for which a new session is needed. Throws what an upload throws; the session knows how far it came.
 */
export async function sendBlob(upload: Upload, session: UploadSession): Promise<boolean> {
  const { blob } = upload.target
  if (session.sent === 0 && upload.style.takesWhole(blob.size)) return putWhole(upload, session)
  while (session.taken < blob.size) {
    const outcome = await patch(upload, session)
    if (outcome !== 'taken') return outcome === 'stored'
  }
  await close(upload, session)
  return true
}

async function putWhole(upload: Upload, session: UploadSession): Promise<boolean> {
  const { target, style } = upload
  const { size } = target.blob
  const path = closingUrl(session.location, target)
  const answer = await transfer(upload, session, { method: 'PUT', path, from: 0, to: size })
  const { status } = answer
  const otherwise =
    (NOT_THIS_WAY.has(status) && style.refusedWhole()) || (status === TOO_LARGE && style.tooLarge(size))
  await (otherwise ? answer.dump() : checkClosed(answer, upload))
  return !otherwise
}

/** Sends the next piece. */
async function patch(upload: Upload, session: UploadSession): Promise<'taken' | 'stored' | 'otherwise'> {
  const { target, style } = upload
  const { size } = target.blob
  const { location: path, taken: from } = session
  const to = Math.min(size, from + style.chunk)
  const headers = { 'content-range': `${from}-${to - 1}` }
  const answer = await transfer(upload, session, { method: 'PATCH', path, headers, from, to })
  const { status } = answer
  if (
    (NOT_THIS_WAY.has(status) && style.refusedPatch()) ||
    (status === TOO_LARGE && from === 0 && style.tooLarge(to))
  ) {
    await answer.dump()
    return 'otherwise'
  }
  // Some registries close the upload with its last byte.
  if (status === 201 && to === size) {
    await checkClosed(answer, upload)
    return 'stored'
  }
  if (status === WRONG_RANGE) session.refused.add(from)
  if (status < 200 || status > 299) throw await uploadError(answer, target)
  await answer.dump()
  follow(session, answer)
  await count(upload, session, answer, to)
  return 'taken'
}

/** Counts to `to`, unless the registry says twice that it took less. */
async function count(
  { registry, target }: Upload,
  session: UploadSession,
  answer: HttpResponse,
  to: number,
): Promise<void> {
  const from = session.taken
  session.taken = to
  const said = takenBy(answer.header('range'))
  if (said.length === 0 || said.includes(to)) return
  if (!(await askStatus(registry, target, session)) || session.taken > from) return
  const { host } = answer.url
  throw new CarryallError(
    'NET_UNAVAILABLE',
    `${host} took none of the bytes ${from}-${to - 1} of ${target.blob.digest}`,
    {
      subject: target.subject,
      expected: to,
      actual: session.taken,
      retryable: true,
      hint: `See the log of ${host}, and run the same command again`,
    },
  )
}

async function close(upload: Upload, session: UploadSession): Promise<void> {
  const { registry, target } = upload
  const path = closingUrl(session.location, target)
  const answer = await registry.request({ method: 'PUT', path, access: target.access, ...target.ask })
  await checkClosed(answer, upload)
}

async function checkClosed(answer: HttpResponse, { target }: Upload): Promise<void> {
  if (answer.status !== 201 && answer.status !== 204) throw await uploadError(answer, target)
  await answer.dump()
  checkStored(answer, target)
}
