import type { HttpRequest, HttpResponse } from '@carryall/http'
import type { Connection } from './connection.ts'
import type { UploadSession } from './upload-session.ts'
import type { UploadSource } from './upload-source.ts'
import type { Break, UploadStyle } from './upload-style.ts'
import type { UploadTarget } from './upload-target.ts'

// Below this a body goes out in one write, headers and all.
const SMALL = 256 * 1024

/** One blob on its way: what all its requests share. */
export interface Upload {
  readonly registry: Connection
  readonly target: UploadTarget
  readonly source: UploadSource
  readonly style: UploadStyle
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number
  /** The request that broke off just now. */
  broken: Break | undefined
}

export interface TransferRequest extends Pick<HttpRequest, 'method' | 'headers'> {
  readonly path: URL
  /** The bytes of the blob that it brings: from the first up to the second. */
  readonly from: number
  readonly to: number
}

/**
 * Sends one request with bytes of the blob, and takes note of how far they were sent and, where it breaks off, of when.
 * Throws what the source and the client throw.
 */
export async function transfer(
  upload: Upload,
  session: UploadSession,
  { from, to, headers, ...request }: TransferRequest,
): Promise<HttpResponse> {
  const { registry, target, source, monotonic } = upload
  const started = monotonic()
  let reached = from
  const bytes = (): AsyncIterable<Buffer> =>
    source.range(from, to, (end) => {
      reached = end
      session.sent = Math.max(session.sent, end)
    })
  try {
    return await registry.request({
      ...request,
      access: target.access,
      headers: { 'content-type': 'application/octet-stream', ...headers },
      size: to - from,
      body: to - from > SMALL ? bytes : await collect(bytes(), to - from),
      ...target.ask,
    })
  } catch (error) {
    // One whose body was all sent met no limit.
    if (!source.threw(error) && reached < to)
      upload.broken = { bytes: reached - from, ms: monotonic() - started }
    throw error
  }
}

async function collect(chunks: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for await (const chunk of chunks) at += chunk.copy(bytes, at)
  return bytes
}
