import { type HttpClient, type HttpRequest, type HttpResponse, singleFlight } from '@carryall/http'
import { type Access, authorizer, type Authorizer, type AuthorizerOptions } from './authorizer.ts'
import type { Credential } from './auth-file.ts'
import { reachRegistry } from './reach.ts'

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
  /** Who asks, with this access; undefined for nobody in particular. */
  login(access: Access): Promise<Credential | undefined>
  /** True unless that login is refused as such, whatever it is to be used for; asks anew. Throws what the client throws. */
  accepts(access: Access): Promise<boolean>
}

/** Connects at the first request, which is preceded by `GET /v2/`: that tells scheme and authentication. */
export function connection(address: RegistryAddress, options: Omit<AuthorizerOptions, 'host'>): Connection {
  const { host } = address
  const { http } = options
  const share = singleFlight<Ready>()
  let ready: Ready | undefined

  const connect = async (): Promise<Ready> => {
    const found = await reachRegistry(address, http)
    const auth = authorizer(found.base, { ...options, host })
    if (found.answer.status === 401 && found.answer.url.origin === found.base.origin) auth.learn(found.answer)
    return { base: found.base, auth }
  }

  return {
    host,
    http,
    login: ({ repository }) => options.credentials.find(host, repository),
    accepts: async (access) => ready === undefined || ready.auth.accepts(access),
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
      if (!(await auth.renew(access, first))) throw await auth.denied(access)
      const second = await once()
      if (!isDenied(second)) return second
      await second.dump()
      throw await auth.denied(access)
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
