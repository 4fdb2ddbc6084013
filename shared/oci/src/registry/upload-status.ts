import type { Connection } from './connection.ts'
import { follow, type UploadSession } from './upload-session.ts'
import type { UploadTarget } from './upload-target.ts'

const CANCEL_MS = 2_000

/**
 * Asks how much of an upload has arrived (distribution-spec: end-13) and sets `taken`. After a request that broke off nobody
 * else knows, and there are registries that append what comes, whatever its Content-Range says: docker-registry 2.8, which
 * signs the offset into the location besides, and forgets an upload that is asked for at another one. False where the
 * session is lost, or what is said about it cannot be; throws NET_ORIGIN_REFUSED and what the client throws.
 */
export async function askStatus(
  registry: Connection,
  { access, ask }: UploadTarget,
  session: UploadSession,
): Promise<boolean> {
  const answer = await registry.request({ method: 'GET', path: session.location, access, ...ask })
  await answer.dump()
  if (answer.status < 200 || answer.status > 299 || answer.url.origin !== session.location.origin)
    return false
  const taken = takenBy(answer.header('range')).find(
    (offset) => offset <= session.sent && !session.refused.has(offset),
  )
  if (taken === undefined) return false
  session.taken = taken
  follow(session, answer)
  return true
}

/**
 * Bytes that a Range header reports, the likeliest reading first; none where it says nothing of use. The range includes
 * its end (distribution-spec: pushing a blob in chunks), and `0-0` is said of nothing as well as of one byte, which is not
 * worth a doubt. With the unit `bytes=` before it, Quay names the end itself, `bytes=0--1` being nothing.
 */
export function takenBy(range: string | undefined): readonly number[] {
  const [, unit, digits] = /^(bytes=)?0-(-1|\d{1,15})$/.exec(range ?? '') ?? []
  const end = Number(digits)
  if (digits === undefined) return []
  if (end <= 0) return [0]
  return unit === undefined ? [end + 1] : [end, end + 1]
}

/** Lets the registry forget a session that gets no more bytes; if it does not, its own purge will. */
export async function cancelUpload(
  registry: Connection,
  { access, ask }: UploadTarget,
  { location }: UploadSession,
): Promise<void> {
  if (ask.signal?.aborted) return
  const signal = AbortSignal.timeout(CANCEL_MS)
  await registry.request({ method: 'DELETE', path: location, access, idempotent: false, signal }).then(
    (answer) => answer.dump(),
    () => {},
  )
}
