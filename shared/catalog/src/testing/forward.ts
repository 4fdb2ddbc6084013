import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
} from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { DockerRegistry } from '@carryall/oci/testing'
import type { Exchange } from './fake-server.ts'

const agent = new Agent({ keepAlive: true })

export interface Forwarding {
  readonly method?: string
  /** Path and query to ask for instead. */
  readonly path?: string
  /** Bytes of the body that are not passed on. */
  readonly skip?: number
  /** Sent instead of the body that comes. */
  readonly body?: Buffer
  /** The headers to answer with, from those of docker-registry. */
  readonly headers?: (answer: IncomingMessage) => OutgoingHttpHeaders
}

/** Has docker-registry answer; gives its status. Its locations name the address that the client asked. */
export async function forward(
  exchange: Exchange,
  store: DockerRegistry,
  { method, path, skip = 0, body, headers }: Forwarding = {},
): Promise<number> {
  const { request, response, origin } = exchange
  const { authorization: _, ...asked } = request.headers
  const outgoing = httpRequest({
    agent,
    host: '127.0.0.1',
    port: store.port,
    method: method ?? exchange.method,
    path: path ?? request.url!,
    headers: { ...sized(asked, body, skip), 'x-forwarded-proto': new URL(origin).protocol.slice(0, -1) },
  })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  outgoing.once('response', resolve).once('error', reject)
  // A client that breaks off must not leave the other side waiting for the rest.
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy()
  })
  if (body) outgoing.end(body)
  else if (skip > 0) pipeline(request, behind(skip), outgoing).catch(reject)
  else request.pipe(outgoing)
  const answer = await promise
  response.writeHead(answer.statusCode!, headers?.(answer) ?? answer.headers)
  await pipeline(answer, response)
  return answer.statusCode!
}

/** The answer of docker-registry to a request of our own without a body. */
export function ask(store: DockerRegistry, method: string, path: string): Promise<Response> {
  return fetch(`${store.url}${path}`, { method })
}

function sized(headers: IncomingHttpHeaders, body: Buffer | undefined, skip: number): OutgoingHttpHeaders {
  const { 'content-length': length, 'transfer-encoding': encoding, ...others } = headers
  if (body) return { ...others, 'content-length': body.length }
  if (length !== undefined) return { ...others, 'content-length': Math.max(Number(length) - skip, 0) }
  return encoding === undefined ? others : { ...others, 'transfer-encoding': encoding }
}

function behind(skip: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let left = skip
    for await (const chunk of source) {
      if (chunk.length > left) yield chunk.subarray(left)
      left = Math.max(left - chunk.length, 0)
    }
  }
}
