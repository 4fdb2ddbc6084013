import type { HttpRequest } from '../request.ts'
import type { Pace } from './pace.ts'

/** The request with its body handed out at `pace`; a body in memory is waited for here. */
export async function pacedRequest(request: HttpRequest, pace: Pace | undefined): Promise<HttpRequest> {
  const { body, signal } = request
  if (pace === undefined || body === undefined) return request
  if (typeof body === 'function') return { ...request, body: () => paced(body(), pace, signal) }
  await pace.until(pace.book(body.length), signal)
  return request
}

/** Each piece when its time has come; it is valid until the next one is asked for. */
async function* paced(
  source: AsyncIterable<Buffer>,
  pace: Pace,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + pace.piece())
      await pace.until(pace.book(piece.length), signal)
      yield piece
      at += piece.length
    }
  }
}
