import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '../response.ts'
import type { AnswerHead } from './answer-head.ts'

/** An answer whose body, if any, has been read. */
export function smallAnswer(head: AnswerHead, url: URL, body: Buffer): HttpResponse {
  const content = head.headers.get('transfer-encoding')?.join().toLowerCase().includes('chunked')
    ? dechunk(body)
    : body
  return {
    ...answerHeaders(head, url),
    body: (async function* () {
      if (content.length > 0) yield content
    })(),
    bytes: async (limit) => {
      if (content.length <= limit) return content
      throw new CarryallError('REG_PROTOCOL', `The answer of ${url.host} is longer than ${limit} bytes`, {
        subject: { kind: 'host', name: url.host },
        expected: limit,
      })
    },
    dump: async () => {},
  }
}

/** The part of an `HttpResponse` that a head alone gives. */
export function answerHeaders(
  head: AnswerHead,
  url: URL,
): Pick<HttpResponse, 'status' | 'url' | 'header' | 'headers'> {
  const headers = (name: string): readonly string[] => head.headers.get(name.toLowerCase()) ?? []
  return { status: head.status, url, headers, header: (name) => headers(name).join(', ') || undefined }
}

/** The data of a chunked body (RFC 9112 §7.1), as far as it came; these are bodies of errors, for a message. */
function dechunk(body: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at)
    const size = end < 0 ? Number.NaN : Number.parseInt(body.toString('latin1', at, end), 16)
    if (!(size > 0)) break
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
  return Buffer.concat(parts)
}
