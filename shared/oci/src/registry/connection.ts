import { isCarryallError } from '@carryall/errors'
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  isLoopback,
  singleFlight,
  speaksPlainHttp,
  withRetry,
} from '@carryall/http'
import { type Access, authorizer, type Authorizer, type AuthorizerOptions } from './authorizer.ts'
import { registryHost } from './docker-hub.ts'

/** Where a registry is. */
export interface RegistryAddress {
  /** `host` or `host:port`; `docker.io` means Docker Hub. */
  readonly host: string
  /** True to try nothing but plain http. */
  readonly plainHttp?: boolean
}

export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'authorize'> {
  /** A path with its query, or a URL of the registry's own origin. */
  readonly path: string | URL
  readonly access: Access
}

/** The way to one registry: its scheme is found out once, credentials are added, a 401 is answered once. */
export interface Connection {
  /** As the operator names it. */
  readonly host: string
  readonly http: HttpClient
  /** Gives any answer but a 401 of the registry itself. Throws AUTH_REQUIRED, AUTH_DENIED and what the client throws. */
  request(request: RegistryRequest): Promise<HttpResponse>
}

/** Connects at the first request, which is preceded by `GET /v2/`: that tells scheme and authentication. */
export function connection(address: RegistryAddress, options: Omit<AuthorizerOptions, 'host'>): Connection {
  const { host } = address
  const { http } = options
  const share = singleFlight<Ready>()
  let ready: Ready | undefined

  const connect = async (): Promise<Ready> => {
    const asked = registryHost(host)
    const plain = address.plainHttp === true || http.plainHttp(asked)
    const found = await (plain ? ping(http, asked, 'http') : pingEither(http, asked))
    const auth = authorizer(found.base, { ...options, host })
    if (found.answer.status === 401 && found.answer.url.origin === found.base.origin) auth.learn(found.answer)
    return { base: found.base, auth }
  }

  return {
    host,
    http,
    request: async ({ path, access, ...request }) => {
      const { signal } = request
      ready ??= await unlessAborted(share('', connect), signal)
      const { base, auth } = ready
      const url = new URL(path, base)
      const once = async () => {
        // Asked for here and not within the retries, so that those of the token server are not multiplied by these.
        const headers = url.origin === base.origin ? await unlessAborted(auth.headers(access), signal) : {}
        return http.request({ ...request, url, authorize: () => headers })
      }
      const isDenied = (answer: HttpResponse) => answer.status === 401 && answer.url.origin === base.origin
      const first = await once()
      if (!isDenied(first)) return first
      await first.dump()
      if (!auth.renew(access, first)) throw auth.denied(access)
      const second = await once()
      if (!isDenied(second)) return second
      await second.dump()
      throw auth.denied(access)
    },
  }
}

/** A shared call goes on for the others when one of its callers is aborted. */
async function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return shared
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([shared, promise]).finally(() => signal.removeEventListener('abort', abort))
}

interface Ready {
  readonly base: URL
  readonly auth: Authorizer
}

interface Pinged {
  readonly base: URL
  readonly answer: HttpResponse
}

async function ping(http: HttpClient, host: string, scheme: string, idempotent = true): Promise<Pinged> {
  const base = new URL(`${scheme}://${host}/`)
  const answer = await http.request({ method: 'GET', url: new URL('/v2/', base), idempotent })
  await answer.dump()
  return { base, answer }
}

/** https; plain http only where the other side does not speak TLS, and is on loopback or not verified anyway. */
async function pingEither(http: HttpClient, host: string): Promise<Pinged> {
  const { hostname } = new URL(`https://${host}/`)
  return withRetry(http.retry, async () => {
    try {
      return await ping(http, host, 'https', false)
    } catch (error) {
      const may = isLoopback(hostname) || (await http.unverified(host))
      if (!may || !isCarryallError(error) || !speaksPlainHttp(error)) throw error
      return ping(http, host, 'http', false)
    }
  })
}
