import { CarryallError } from '@carryall/errors'
import type { Dispatcher } from 'undici'
import type { Pace } from './limits/pace.ts'
import { networkError } from './network-error.ts'

/** An answer. Its body is read, or dumped, or the connection stays taken. */
export interface HttpResponse {
  readonly status: number
  /** Where it came from, after redirects. */
  readonly url: URL
  /** A header by its name in any case; repeated ones joined by a comma. */
  header(name: string): string | undefined
  /** Each value of a repeated header. */
  headers(name: string): readonly string[]
  /** Once; breaks off with NET_UNAVAILABLE or NET_TIMEOUT, retryable. */
  readonly body: AsyncIterable<Buffer>
  /** The whole body. Throws REG_PROTOCOL where it is longer than `limit` bytes. */
  bytes(limit: number): Promise<Buffer>
  /** Reads the body to nowhere, so that the connection can be used again; never throws. */
  dump(): Promise<void>
}

/** Wraps what undici answered. */
export function response(
  data: Dispatcher.ResponseData,
  method: string,
  url: URL,
  signal: AbortSignal | undefined,
  pace?: Pace,
): HttpResponse {
  const headers = (name: string) => [data.headers[name.toLowerCase()] ?? []].flat()

  async function* body(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of data.body as AsyncIterable<Buffer>) {
        if (pace !== undefined) await pace.until(pace.book(chunk.length), signal)
        yield chunk
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw networkError(error, method, url)
    }
  }

  const bytes = async (limit: number) => {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body()) {
      size += chunk.length
      if (size > limit) {
        throw new CarryallError(
          'REG_PROTOCOL',
          `The answer to ${method} ${url.origin}${url.pathname} is longer than ${limit} bytes`,
          {
            subject: { kind: 'host', name: url.host },
            expected: limit,
          },
        )
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, size)
  }

  return {
    status: data.statusCode,
    url,
    header: (name) => headers(name).join(', ') || undefined,
    headers,
    body: { [Symbol.asyncIterator]: body },
    bytes,
    dump: async () => {
      await data.body.dump({ limit: 256 * 1024 }).catch(() => {})
    },
  }
}
