import { isCarryallError } from '@carryall/errors'
import { pause } from '@carryall/http'
import type { BlobOutcome, Destination } from '../store.ts'
import { beginUpload, openSession } from './begin-upload.ts'
import type { Connection } from './connection.ts'
import { type Open, sendPatched, sendWhole } from './send-blob.ts'
import { type UploadTarget, uploadTarget } from './upload-target.ts'

const CANCEL_MS = 2_000

/**
 * Uploads to one registry, remembering how it takes them: mount or POST, then PUT, each failure with a new session. What
 * `open` throws is not repeated, as its source has done so, except that wrong bytes are asked for once more.
 */
export function blobUploads(registry: Connection): Destination['putBlob'] {
  let wholeRefused = false

  const send = async (target: UploadTarget, first: URL, open: Open): Promise<void> => {
    if (!wholeRefused && (await sendWhole(registry, target, first, open))) return
    const location = wholeRefused ? first : await openSession(registry, target)
    await sendPatched(registry, target, location, open)
    wholeRefused = true
  }

  const upload = async (
    target: UploadTarget,
    open: Open,
    mountFrom: string | undefined,
  ): Promise<BlobOutcome> => {
    for (let attempt = 1; ; attempt += 1) {
      const source = watched(open)
      let location: URL | undefined
      try {
        const begun = await beginUpload(registry, target, mountFrom)
        if (!(begun instanceof URL)) return begun
        location = begun
        await send(target, location, source.open)
        return 'uploaded'
      } catch (error) {
        if (source.threw(error)) {
          if (location) await cancel(registry, target, location)
          throw error
        }
        await pause(registry.http.retry, attempt, error, target.ask.signal)
      }
    }
  }

  return async (repository, blob, open, { mountFrom, signal } = {}) => {
    const target = uploadTarget(registry, repository, blob, signal)
    try {
      return await upload(target, open, mountFrom)
    } catch (error) {
      // Caches lie: wrong bytes on the way are taken from the source once more.
      if (!isCarryallError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH')) throw error
      return upload(target, open, mountFrom)
    }
  }
}

/** Keeps what `open` throws, to tell it from what the registry does. */
function watched(open: Open): { readonly open: Open; threw(error: unknown): boolean } {
  const thrown: unknown[] = []
  return {
    async *open() {
      try {
        for await (const chunk of open()) yield chunk
      } catch (error) {
        thrown.push(error)
        throw error
      }
    },
    threw: (error) => thrown.includes(error),
  }
}

/** Lets the registry forget a session that gets no more bytes; if it does not, its own purge will. */
async function cancel(registry: Connection, { access, ask }: UploadTarget, location: URL): Promise<void> {
  if (ask.signal?.aborted) return
  const signal = AbortSignal.timeout(CANCEL_MS)
  await registry.request({ method: 'DELETE', path: location, access, idempotent: false, signal }).then(
    (answer) => answer.dump(),
    () => {},
  )
}
