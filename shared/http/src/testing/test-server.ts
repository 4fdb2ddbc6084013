import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request as it arrived, its body read. */
export interface Seen {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface TestServer extends AsyncDisposable {
  /** `ADDRESS:PORT` */
  readonly host: string
  readonly port: number
  readonly url: string
  /** All requests in the order in which they were complete. */
  readonly requests: readonly Seen[]
}

export interface TestServerOptions {
  /** PEM texts: serves https. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** An address of loopback; 127.0.0.1 if absent. */
  readonly address?: string
  /** Hands the request to `answer` with its body unread. */
  readonly unread?: boolean
}

/** A scripted server on a free port of loopback. A thrown error in `answer` breaks the connection. */
export async function startServer(
  answer: (seen: Seen, response: ServerResponse, request: IncomingMessage) => void | Promise<void>,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const requests: Seen[] = []
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const body = options.unread ? Buffer.alloc(0) : await buffer(request)
      const seen = { method: request.method!, url: request.url!, headers: request.headers, body }
      requests.push(seen)
      await answer(seen, response, request)
    } catch {
      request.destroy()
    }
  }
  const listen: RequestListener = (request, response) => void take(request, response)
  const server: Server = options.tls ? createTlsServer(options.tls, listen) : createServer(listen)
  const address = options.address ?? '127.0.0.1'
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const { port } = server.address() as AddressInfo
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`
  return {
    host,
    port,
    url: `${options.tls ? 'https' : 'http'}://${host}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
