import { isCarryallError } from '@carryall/errors'
import { pause } from '@carryall/http'
import type { BlobOutcome, Destination, PutBlobOptions } from '../store.ts'
import { beginUpload, openSession } from './begin-upload.ts'
import type { Connection } from './connection.ts'
import { sendBlob } from './send-blob.ts'
import type { Upload } from './transfer.ts'
import type { UploadSession } from './upload-session.ts'
import { uploadSource } from './upload-source.ts'
import { askStatus, cancelUpload } from './upload-status.ts'
import { type Break, CHUNK_BYTES, UploadStyle } from './upload-style.ts'
import { uploadTarget } from './upload-target.ts'

// Less than this is sent again sooner than asked for. What brings as much starts the budget of retries anew.
const WORTH = 1024 * 1024

export interface UploadOptions {
  /** Most bytes of a request where a registry wants chunks; 64 MiB if absent, and never below 1 MiB. */
  readonly chunkBytes?: number
  /** Milliseconds of a clock that never jumps; that of the process if absent. */
  readonly monotonic?: () => number
}

/**
 * Uploads to one registry, remembering how it takes them: mount or POST, then PUT, or PATCHes where it wants that. What
 * broke off goes on where the registry says that it is, else in a new session. What `open` throws is not repeated, as its
 * source has done so, except that wrong bytes are asked for once more.
 */
export function blobUploads(registry: Connection, options: UploadOptions = {}): Destination['putBlob'] {
  const style = new UploadStyle(options.chunkBytes ?? CHUNK_BYTES)
  const monotonic = options.monotonic ?? (() => performance.now())

  return async (repository, blob, open, { mountFrom, seekable = false, signal }: PutBlobOptions = {}) => {
    const target = uploadTarget(registry, repository, blob, signal)
    const once = (resumes: boolean): Promise<BlobOutcome> => {
      const source = uploadSource(blob, open, seekable)
      return run({ registry, target, source, style, monotonic, broken: undefined }, mountFrom, resumes)
    }
    try {
      return await once(true)
    } catch (error) {
      // Caches lie, and who says how much has arrived may be wrong: all is sent once more, and nothing gone on with.
      if (!isCarryallError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH')) throw error
      return once(false)
    }
  }
}

async function run(upload: Upload, mountFrom: string | undefined, mayResume: boolean): Promise<BlobOutcome> {
  const { registry, target, source } = upload
  let session: UploadSession | undefined
  let resumes = mayResume
  let allSent = false
  let best = 0
  let brokenBefore: Break | undefined

  const send = async (): Promise<BlobOutcome> => {
    const begun = session ?? (await beginUpload(registry, target, mountFrom))
    // All of it was sent, and only the answer got lost.
    if (typeof begun === 'string') return allSent && begun === 'present' ? 'uploaded' : begun
    session = begun
    if (session.chunkMin !== undefined) upload.style.wantsChunks(session.chunkMin)
    while (!(await sendBlob(upload, session))) session = await openSession(registry, target)
    return 'uploaded'
  }

  for (let attempt = 1; ; attempt += 1) {
    let resumed = false
    try {
      resumed = session !== undefined && resumes && (await goesOn(upload, session))
      if (!resumed) session = undefined
      if (brokenBefore && upload.broken) upload.style.broke(brokenBefore, upload.broken)
      brokenBefore = upload.broken
      upload.broken = undefined
      return await send()
    } catch (error) {
      if (source.threw(error)) {
        if (session) await cancelUpload(registry, target, session)
        throw error
      }
      allSent ||= session?.sent === target.blob.size
      // It takes blobs, but not the rest of one.
      if (resumed && isCarryallError(error, 'REG_REFUSED')) {
        resumes = false
        continue
      }
      const taken = session?.taken ?? 0
      if (taken - best >= WORTH) {
        best = taken
        attempt = 1
      }
      await pause(registry.http.retry, attempt, error, target.ask.signal)
    }
  }
}

/** True where the registry still has what it was sent, as far as it says. */
async function goesOn(upload: Upload, session: UploadSession): Promise<boolean> {
  const { registry, target, style } = upload
  if (!style.resumes || session.sent < WORTH) return false
  const from = session.taken
  if (!(await askStatus(registry, target, session))) {
    await cancelUpload(registry, target, session)
    return false
  }
  if (session.taken === 0) style.forgotWhole()
  else if (upload.broken) upload.broken = { ...upload.broken, bytes: session.taken - from }
  return true
}
