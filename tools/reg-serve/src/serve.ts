import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { answer } from './server/answer.ts'
import { isWritable, type Exchange, type Readable } from './server/exchange.ts'
import { refusalOf } from './server/refusal.ts'
import { replyRefusal } from './server/reply.ts'
import { UploadSessions } from './server/upload-sessions.ts'

export interface ServeOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Refuses pushes to a store that could take them. */
  readonly readOnly?: boolean
  /** Tags or repositories in one answer, at most; 1000 if absent. */
  readonly pageSize?: number
  /** Seconds after which an upload that nobody goes on with is removed; one hour if absent. */
  readonly uploadSeconds?: number
  /** Called when an answer has been sent or has broken off. */
  readonly onServed?: (served: Served) => void
}

/** One line of an access log. */
export interface Served {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly milliseconds: number
  /** What made it fail, unless the client did. */
  readonly error?: unknown
}

export interface Serving {
  readonly port: number
  readonly url: string
  /** Takes no more requests, gives those in work two seconds, and removes unfinished uploads. The store stays open. */
  close(): Promise<void>
}

const GRACE_MS = 2000
const SILENCE_MS = 600_000

const CONNECTIONS = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 60_000,
  // An upload takes as long as it takes; a connection that is silent for ten minutes is given up.
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  // What is read while a chunk of 1 MiB is written, and the other way round.
  highWaterMark: 1024 * 1024,
}

/**
 * Serves a store as an OCI registry (distribution-spec 1.1) without TLS and authentication: for loopback only. A store
 * that takes no writes, or `readOnly`, answers 405 to pushes. Throws NET_UNAVAILABLE where the address is taken.
 */
export async function serve(store: Readable, options: ServeOptions): Promise<Serving> {
  const sessions =
    isWritable(store) && !options.readOnly
      ? await UploadSessions.create(store.stagingDirectory, options.uploadSeconds ?? 3600)
      : undefined
  const push = sessions !== undefined && isWritable(store) ? { push: { store, sessions } } : {}
  const shared = { store, pageSize: options.pageSize ?? 1000, ...push }
  const inWork = new Set<Promise<void>>()
  const server = createServer(CONNECTIONS, (request, response) => {
    const handling = handle(request, response, shared, options.onServed)
    inWork.add(handling)
    void handling.finally(() => inWork.delete(handling))
  })
  server.setTimeout(SILENCE_MS)
  await listen(server, options).catch(async (error: unknown) => {
    await sessions?.close()
    throw error
  })
  const { port, address, family } = server.address() as AddressInfo
  return {
    port,
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      await stop(server)
      // A request without a connection may still have a file open.
      await Promise.all(inWork)
      await sessions?.close()
    },
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  shared: Pick<Exchange, 'store' | 'push' | 'pageSize'>,
  onServed: ServeOptions['onServed'],
): Promise<void> {
  const start = performance.now()
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  let failure: unknown
  try {
    await answer({ ...shared, request, response, path, query })
  } catch (error) {
    // A client that went away is told nothing.
    if (!response.destroyed && !request.destroyed) failure = error
    replyRefusal(request, response, refusalOf(error))
    // What is left of a body is read and thrown away: the next request of the connection comes after it.
    request.resume()
  }
  onServed?.({
    method: request.method ?? '',
    path: target,
    status: response.statusCode,
    milliseconds: performance.now() - start,
    ...(failure !== undefined && response.statusCode >= 500 ? { error: failure } : {}),
  })
}

async function listen(server: Server, { host, port }: ServeOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      throw fromSystemError(error, `listen on ${host}:${port}`)
    throw new CarryallError('NET_UNAVAILABLE', `Cannot listen on ${host}:${port}: another program does`, {
      hint: 'Stop that program, or let --address 127.0.0.1:0 take a free port',
      subject: { kind: 'host', name: `${host}:${port}` },
      cause: error,
    })
  }
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const force = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearTimeout(force)
}
