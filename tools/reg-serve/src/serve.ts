import type { IncomingMessage, ServerResponse } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './load-certificate.ts'
import { answer } from './server/answer.ts'
import { boundConnections, CONNECTION_BOUNDS, type ConnectionBounds } from './server/connections.ts'
import { isWritable, type Access, type Exchange, type Readable } from './server/exchange.ts'
import { identify, type Judge } from './server/identify.ts'
import { listen, makeServer, PATIENCE, stop, type Patience } from './server/listen.ts'
import { refusalOf } from './server/refusal.ts'
import { replyRefusal } from './server/reply.ts'
import { discardBody } from './server/request-body.ts'
import { UploadSessions } from './server/upload-sessions.ts'

export interface ServeOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Speaks https alone. */
  readonly certificate?: Certificate
  /** Wants a login that this finds right. */
  readonly logins?: Judge
  /** Pulls need no login. */
  readonly anonymousPull?: boolean
  /** Refuses pushes to a store that could take them; a text is what clients are told. */
  readonly readOnly?: boolean | string
  /** Tags or repositories in one answer, at most; 1000 if absent. */
  readonly pageSize?: number
  /** Seconds after which an upload that nobody goes on with is removed; one hour if absent. */
  readonly uploadSeconds?: number
  readonly bounds?: ConnectionBounds
  readonly patience?: Patience
  /** Called when an answer has been sent or has broken off. */
  readonly onServed?: (served: Served) => void
}

/** One line of an access log. */
export interface Served {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly milliseconds: number
  /** Address of the client. */
  readonly client: string
  /** Who was logged in. */
  readonly user?: string
  /** It carried a login that was wrong, or one too many. */
  readonly loginRefused?: true
  /** What made it fail, unless the client did. */
  readonly error?: unknown
}

export interface Serving {
  readonly port: number
  readonly url: string
  /** Connections from now on get this one. Only where there has been one from the start. */
  useCertificate(certificate: Certificate): void
  /** Takes no more requests, gives those in work two seconds, and removes unfinished uploads. The store stays open. */
  close(): Promise<void>
}

type Shared = Pick<Exchange, 'store' | 'push' | 'pageSize' | 'refusedPushes'>

/**
 * Serves a store as an OCI registry (distribution-spec 1.1). Whom the address lets in is for the caller to judge. A store
 * that takes no writes, or `readOnly`, answers 405 to pushes. Throws NET_UNAVAILABLE where the address is taken.
 */
export async function serve(store: Readable, options: ServeOptions): Promise<Serving> {
  const { readOnly = false, certificate } = options
  const sessions =
    isWritable(store) && readOnly === false
      ? await UploadSessions.create(store.stagingDirectory, options.uploadSeconds ?? 3600)
      : undefined
  const shared: Shared = {
    store,
    pageSize: options.pageSize ?? 1000,
    refusedPushes: typeof readOnly === 'string' ? readOnly : 'This registry is read-only',
    ...(sessions !== undefined && isWritable(store) ? { push: { store, sessions } } : {}),
  }
  const inWork = new Set<Promise<void>>()
  const server = makeServer(certificate, options.patience ?? PATIENCE, (request, response) => {
    const handling = handle(request, response, shared, options)
    inWork.add(handling)
    void handling.finally(() => inWork.delete(handling))
  })
  boundConnections(server, options.bounds ?? CONNECTION_BOUNDS)
  await listen(server, options.host, options.port).catch(async (error: unknown) => {
    await sessions?.close()
    throw error
  })
  const { port, address, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    port,
    url: `${certificate === undefined ? 'http' : 'https'}://${host}:${port}`,
    useCertificate(next) {
      if (server instanceof SecureServer) server.setSecureContext(next)
    },
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
  shared: Shared,
  options: ServeOptions,
): Promise<void> {
  const start = performance.now()
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  const client = request.socket.remoteAddress ?? ''
  let user: string | undefined
  let identified = false
  let failure: unknown
  try {
    if (options.logins !== undefined) user = await identify(request, options.logins)
    identified = true
    const access = accessOf(options, user)
    await answer({ ...shared, access, request, response, path, query })
  } catch (error) {
    // A client that went away is told nothing.
    if (!response.destroyed && !request.destroyed) failure = error
    replyRefusal(request, response, refusalOf(error))
  }
  discardBody(request)
  options.onServed?.({
    method: request.method ?? '',
    path: target,
    status: response.statusCode,
    milliseconds: performance.now() - start,
    client,
    ...(user === undefined ? {} : { user }),
    ...(identified ? {} : { loginRefused: true }),
    ...(failure !== undefined && response.statusCode >= 500 ? { error: failure } : {}),
  })
}

function accessOf({ logins, anonymousPull }: ServeOptions, user: string | undefined): Access {
  const known = logins === undefined || user !== undefined
  return { pull: known || anonymousPull === true, push: known, more: !known }
}
