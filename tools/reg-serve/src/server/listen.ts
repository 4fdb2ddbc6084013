import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { CarryallError, fromSystemError } from '@carryall/errors'
import type { Certificate } from '../load-certificate.ts'

/** How long the parts of a conversation may take, in milliseconds. */
export interface Patience {
  /** From the start of a connection, or of a request, to the end of its head. */
  readonly head: number
  /** Without a byte in either direction, while the client has its turn. */
  readonly silence: number
}

export const PATIENCE: Patience = { head: 20_000, silence: 300_000 }

/** Makes a server, with TLS where there is a certificate. `handle` also gets requests that wait for a "100 Continue". */
export function makeServer(
  certificate: Certificate | undefined,
  patience: Patience,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const options: ServerOptions = {
    maxHeaderSize: 32 * 1024,
    headersTimeout: patience.head,
    // An upload takes as long as it takes: slow ones are seen by their pace.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(patience.head, 5000),
    keepAliveTimeout: 75_000,
    // What is read while a chunk of 1 MiB is written, and the other way round.
    highWaterMark: 1024 * 1024,
  }
  const server =
    certificate === undefined
      ? createServer(options, handle)
      : createSecureServer({ ...options, ...certificate, handshakeTimeout: patience.head }, handle)
  server.on('checkContinue', handle)
  server.setTimeout(patience.silence)
  return server
}

/** Throws NET_UNAVAILABLE where the address is taken or not of this machine, PERMISSION_DENIED for a port below 1024. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    const known = UNAVAILABLE[(error as NodeJS.ErrnoException).code ?? '']
    if (known === undefined) throw fromSystemError(error, `listen on ${host}:${port}`)
    throw new CarryallError('NET_UNAVAILABLE', `Cannot listen on ${host}:${port}: ${known.why}`, {
      hint: known.hint,
      subject: { kind: 'host', name: `${host}:${port}` },
      cause: error,
    })
  }
}

const UNAVAILABLE: Partial<Record<string, { readonly why: string; readonly hint: string }>> = {
  EADDRINUSE: {
    why: 'another program does',
    hint: 'Stop that program, or let --address HOST:0 take a free port',
  },
  EADDRNOTAVAIL: {
    why: 'no interface of this machine has that address',
    hint: '"ip address" shows the addresses of this machine; 0.0.0.0 and [::] stand for all of them',
  },
}

const GRACE_MS = 2000

/** Takes no more requests and gives those in work two seconds. */
export async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const force = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearTimeout(force)
}
