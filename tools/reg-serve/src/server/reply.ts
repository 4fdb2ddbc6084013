import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from './refusal.ts'
import { awaitsContinue } from './request-body.ts'

export type Headers = Readonly<Record<string, string | number | undefined>>

/** Answers without a body. */
export function replyEmpty(response: ServerResponse, status: number, headers: Headers = {}): void {
  // 204 and 304 have none by definition; others must say so.
  write(response, status, status === 204 || status === 304 ? headers : { 'content-length': 0, ...headers })
  response.end()
}

/** Answers with bytes; to HEAD with their headers alone. */
export function replyBytes(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  bytes: Buffer,
  headers: Headers,
): void {
  write(response, status, { ...headers, 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

export function replyJson(
  request: IncomingMessage,
  response: ServerResponse,
  value: unknown,
  headers: Headers = {},
): void {
  replyBytes(request, response, 200, Buffer.from(JSON.stringify(value)), {
    'content-type': 'application/json',
    ...headers,
  })
}

/** Answers with an error, or breaks the connection where an answer has begun: the reader must not take it for whole. */
export function replyRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  replyBytes(request, response, refusal.status, Buffer.from(refusal.body), {
    'content-type': 'application/json',
    ...refusal.headers,
  })
}

export function write(response: ServerResponse, status: number, headers: Headers): void {
  response.statusCode = status
  response.setHeader('docker-distribution-api-version', 'registry/2.0')
  // It may send its body all the same, or not: nobody knows where its next request would start.
  if (awaitsContinue(response.req)) response.setHeader('connection', 'close')
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) response.setHeader(name, value)
}
