import type { LookupFunction, OnReadOpts, Socket } from 'node:net'

/** How to get to an origin: what undici's pools are given as well. */
export interface Route {
  /** For https: what `tls.connect` needs. */
  readonly tls: object
  readonly lookup: LookupFunction
  readonly connectMs: number
}

/** A connection to the origin of `url`, ready to be written to. Throws what the socket throws, or the signal's reason. */
export async function openSocket(
  url: URL,
  route: Route,
  onread: OnReadOpts | undefined,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const secure = url.protocol === 'https:'
  const to = {
    host: hostname,
    port: Number(url.port) || (secure ? 443 : 80),
    noDelay: true,
    lookup: route.lookup,
    ...(onread === undefined ? {} : { onread }),
  }
  const socket = secure
    ? (await import('node:tls')).connect({
        ...to,
        ...route.tls,
        ...(isIp(hostname) ? {} : { servername: hostname }),
      })
    : (await import('node:net')).connect(to)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = (): void => reject(signal?.reason as Error)
  const timer = setTimeout(
    () => reject(Object.assign(new Error('connect'), { code: 'ETIMEDOUT' })),
    route.connectMs,
  )
  socket.once(secure ? 'secureConnect' : 'connect', resolve)
  socket.once('error', reject)
  // The other side may hang up without an error, in mid-handshake too.
  socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await promise
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

function isIp(hostname: string): boolean {
  return /^[\d.]+$/.test(hostname) || hostname.includes(':')
}
