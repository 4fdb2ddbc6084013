import { type HttpClient, type HttpResponse, pause } from '@carryall/http'

/** An answer, with its body where the status is 200; any other has its body unread. */
export interface WholeAnswer {
  readonly answer: HttpResponse
  readonly bytes: Buffer | undefined
}

/**
 * Asks and reads the body whole. One that breaks off is asked for again, as often as the client repeats requests: a client
 * repeats until an answer begins, and no further. Throws REG_PROTOCOL for more than `limit` bytes, and what the client throws.
 */
export async function requestWhole<R extends { readonly signal?: AbortSignal }>(
  registry: { readonly http: Pick<HttpClient, 'retry'>; request(request: R): Promise<HttpResponse> },
  request: R,
  limit: number,
): Promise<WholeAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await registry.request(request)
    if (answer.status !== 200) return { answer, bytes: undefined }
    try {
      return { answer, bytes: await answer.bytes(limit) }
    } catch (error) {
      await pause(registry.http.retry, attempt, error, request.signal)
    }
  }
}
