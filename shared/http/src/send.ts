import { CarryallError } from '@carryall/errors'
import type { Dispatchers } from './dispatchers.ts'
import { firstBytes } from './first-bytes.ts'
import type { Pace } from './limits/pace.ts'
import { networkError } from './network-error.ts'
import type { HeaderValues, HttpRequest } from './request.ts'
import { type HttpResponse, response } from './response.ts'
import { uploadBody } from './upload-body.ts'

// A registry hashes and moves a large blob before it answers.
const ANSWER_TO_UPLOAD_MS = 15 * 60_000

/** One request, one answer: no redirect, no retry. Throws what the body's source threw, else NET_* and REG_PROTOCOL. */
export async function send(
  pools: Dispatchers,
  request: HttpRequest,
  url: URL,
  headers: HeaderValues,
  idleMs: number,
  pace?: Pace,
): Promise<HttpResponse> {
  const { method, body, size, signal } = request
  const source = typeof body === 'function' ? await firstBytes(body, signal) : undefined
  const stop = new AbortController()
  const pass = () => stop.abort(signal?.reason)
  signal?.addEventListener('abort', pass, { once: true })
  const upload = source && uploadBody(source.chunks, idleMs, url.host, (error) => stop.abort(error))
  try {
    signal?.throwIfAborted()
    const pool = await pools.get(url, upload !== undefined)
    const data = await pool.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      // undici closes the connection after a HEAD, for servers that answer it with a body; such an answer is an error here.
      ...(method === 'HEAD' ? { reset: false } : {}),
      headers: { ...headers, ...(size === undefined ? {} : { 'content-length': String(size) }) },
      body: upload ? (upload.chunks as never) : ((body as Buffer | undefined) ?? null),
      signal: upload ? stop.signal : (signal ?? null),
      ...(upload ? { headersTimeout: Math.max(ANSWER_TO_UPLOAD_MS, idleMs) } : {}),
    })
    return response(data, method, url, signal, pace)
  } catch (error) {
    signal?.throwIfAborted()
    if (source?.failure() !== undefined) throw source.failure()
    if (stop.signal.aborted && stop.signal.reason instanceof CarryallError) throw stop.signal.reason
    throw networkError(error, method, url)
  } finally {
    upload?.done()
    source?.close()
    signal?.removeEventListener('abort', pass)
  }
}
