import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Exchange } from './fake-server.ts'

/** An answer that is thrown: `body` goes out as JSON, or as it is where it is text. */
export class Refused extends Error {
  readonly status: number
  readonly body: object | string
  readonly headers: OutgoingHttpHeaders

  constructor(status: number, body: object | string, headers: OutgoingHttpHeaders = {}) {
    super(`refused with ${status}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** A refusal in the words of the distribution-spec (error codes). */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: OutgoingHttpHeaders = {},
  more: object = {},
): Refused {
  return new Refused(status, { errors: [{ code, message, detail: {}, ...more }] }, headers)
}

export function refuse(request: IncomingMessage, response: ServerResponse, refused: Refused): void {
  const { status, body, headers } = refused
  const isText = typeof body === 'string'
  const bytes = Buffer.from(isText ? body : JSON.stringify(body))
  // What is still being sent is not waited for: as with real servers, the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close')
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
    'content-length': bytes.length,
    ...headers,
  })
  response.end(request.method === 'HEAD' ? undefined : bytes)
  if (!request.complete) request.resume()
}

/** Answers with bytes; to HEAD with the headers alone. */
export function send(
  { request, response }: Exchange,
  status: number,
  body: Buffer | string,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = Buffer.from(body)
  // A 204 has no body by definition.
  response.writeHead(status, status === 204 ? headers : { 'content-length': bytes.length, ...headers })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

export function sendJson(exchange: Exchange, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(exchange, 200, JSON.stringify(value), { 'content-type': 'application/json', ...headers })
}
