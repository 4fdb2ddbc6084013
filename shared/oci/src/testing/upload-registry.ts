import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that brought bytes, or was to. */
export interface Brought {
  readonly method: string
  /** Of Content-Range; undefined without one. */
  readonly range: string | undefined
  /** Bytes of its body that were read. */
  bytes: number
  status?: number
}

export interface UploadRegistryOptions {
  /** How it speaks of ranges: as the specification says, or with the quirks of Quay, which also drops what it has got already. */
  readonly ranges?: 'spec' | 'quay'
  /** OCI-Chunk-Min-Length. */
  readonly chunkMin?: number
  /** Larger bodies are 413. */
  readonly bodyMax?: number
  /** Appends what comes, whatever its range says. */
  readonly appends?: boolean
  /** What came of a PUT that broke off is forgotten. */
  readonly forgetsPut?: boolean
  /** 201 for the PATCH that brings the last of so many bytes, and 404 for what comes then, as ECR does. */
  readonly closesAt?: number
  /** Statuses by method, for bodies that it does not take. */
  readonly refuses?: Readonly<Record<string, number>>
  /** Of the body of a PATCH only so many bytes are kept, which its answer says. */
  readonly keeps?: number
  /** What it says after a PATCH instead of the truth. */
  readonly patched?: (taken: number) => string
  /** What it says of an upload instead of the truth. */
  readonly status?: (taken: number) => { readonly status?: number; readonly headers?: Record<string, string> }
  /** After how many bytes of a body the connection is torn down. */
  readonly cut?: (request: Brought, index: number) => number | undefined
  /** Milliseconds without a byte of a body after which the connection is torn down. */
  readonly idleMs?: number
}

export interface UploadRegistry extends AsyncDisposable {
  readonly host: string
  /** What brought bytes, in order. */
  readonly brought: readonly Brought[]
  /** `METHOD STATUS` of all requests but the first. */
  readonly log: readonly string[]
  readonly blobs: ReadonlyMap<string, Buffer>
}

interface Session {
  bytes: Buffer
  location: string
}

/** A registry in memory that takes uploads only (distribution-spec: push), keeps what came of those that broke off, and has its ways. */
export async function startUploadRegistry(options: UploadRegistryOptions = {}): Promise<UploadRegistry> {
  const brought: Brought[] = []
  const log: string[] = []
  const blobs = new Map<string, Buffer>()
  const sessions = new Map<string, Session>()
  const quay = options.ranges === 'quay'

  const reply = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void => {
    response.writeHead(status, headers).end(status < 400 ? undefined : '{"errors":[]}')
  }
  const move = (session: Session): string =>
    (session.location = `${session.location.split('?')[0]}?s=${session.bytes.length}`)
  const rangeOf = (size: number): string => (quay ? `bytes=0-${size || -1}` : `0-${Math.max(0, size - 1)}`)

  const begin = (url: URL, response: ServerResponse): void => {
    if (blobs.has(url.searchParams.get('mount') ?? '')) return reply(response, 201)
    const path = `/up/${sessions.size}`
    const session = { bytes: Buffer.alloc(0), location: path }
    sessions.set(path, session)
    reply(response, 202, {
      location: move(session),
      range: rangeOf(0),
      ...(options.chunkMin === undefined ? {} : { 'oci-chunk-min-length': String(options.chunkMin) }),
    })
  }

  /** Adds the body to the session; false where it was torn down. */
  const take = async (
    request: IncomingMessage,
    session: Session,
    entry: Brought,
    skip: number,
  ): Promise<boolean> => {
    const before = session.bytes
    const limit = options.cut?.(entry, brought.indexOf(entry))
    const parts: Buffer[] = []
    if (options.idleMs !== undefined)
      request.socket.setTimeout(options.idleMs, () => request.socket.destroy())
    try {
      for await (const data of request as AsyncIterable<Buffer>) {
        const part = data.subarray(0, limit === undefined ? data.length : limit - entry.bytes)
        parts.push(part)
        entry.bytes += part.length
        if (part.length === data.length) continue
        request.socket.resetAndDestroy()
        return false
      }
      return true
    } catch {
      return false
    } finally {
      if (options.idleMs !== undefined) request.socket.setTimeout(0)
      const kept = entry.method === 'PATCH' && options.keeps !== undefined ? skip + options.keeps : undefined
      session.bytes = Buffer.concat([before, Buffer.concat(parts).subarray(skip, kept)])
      if (entry.method === 'PUT' && options.forgetsPut) session.bytes = before
    }
  }

  const bring = async (
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    session: Session,
  ): Promise<void> => {
    const method = request.method ?? ''
    const entry: Brought = { method, range: request.headers['content-range'], bytes: 0 }
    const length = Number(request.headers['content-length'] ?? 0)
    if (length > 0) brought.push(entry)
    const answer = (status: number, headers: Record<string, string> = {}): void => {
      entry.status = status
      reply(response, status, headers)
    }
    if (options.refuses?.[method] !== undefined && length > 0) return answer(options.refuses[method]!)
    if (length > (options.bodyMax ?? length)) return answer(413)
    const start =
      entry.range === undefined || options.appends ? session.bytes.length : Number(entry.range.split('-')[0])
    const overlap = session.bytes.length - start
    if (overlap < 0 || (overlap > 0 && !quay)) {
      return answer(416, { location: move(session), range: rangeOf(session.bytes.length) })
    }
    if (!(await take(request, session, entry, overlap))) return
    const size = session.bytes.length
    if (method === 'PATCH') {
      if (size !== options.closesAt)
        return answer(202, {
          location: move(session),
          range: options.patched?.(size) ?? `0-${Math.max(0, size - 1)}`,
        })
    }
    const digest = `sha256:${createHash('sha256').update(session.bytes).digest('hex')}`
    if (method === 'PUT' && digest !== url.searchParams.get('digest'))
      return void response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}')
    blobs.set(digest, session.bytes)
    sessions.delete(url.pathname)
    answer(201, { 'docker-content-digest': digest })
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://registry.example')
    if (url.pathname === '/v2/') return reply(response, 200)
    response.on('finish', () => log.push(`${request.method} ${response.statusCode}`))
    const session = sessions.get(url.pathname)
    if (request.method === 'POST') return begin(url, response)
    if (session === undefined) return reply(response, 404)
    if (request.method === 'GET') {
      const said = options.status?.(session.bytes.length) ?? {}
      const location: Record<string, string> = quay ? {} : { location: move(session) }
      return reply(response, said.status ?? 204, {
        ...location,
        range: rangeOf(session.bytes.length),
        ...said.headers,
      })
    }
    if (request.method !== 'DELETE') return bring(url, request, response, session)
    sessions.delete(url.pathname)
    reply(response, 204)
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    brought,
    log,
    blobs,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
