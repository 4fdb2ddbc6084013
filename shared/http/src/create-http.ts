import { CarryallError, registerSecret } from '@carryall/errors'
import { isLinkLocal } from './address-rules.ts'
import { type Dispatchers, dispatchers } from './dispatchers.ts'
import { checkHop, isRedirect } from './hop.ts'
import type { HostTls } from './host-tls.ts'
import type { Clock } from './limits/clock.ts'
import { governors } from './limits/governors.ts'
import type { HostLimits, LimitEvent } from './limits/host-limits.ts'
import { pacedRequest } from './limits/paced-request.ts'
import { checkPlainHttp, isNamed } from './plain-http.ts'
import type { Environment } from './proxy.ts'
import type { HeaderValues, HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { type RetryPolicy, retryPolicy, withRetry } from './retry.ts'
import { type Run, sendLarge } from './send-large.ts'
import { send } from './send.ts'
import { isTransient, statusError } from './status-error.ts'

const MAX_REDIRECTS = 5
const KEPT_ABROAD = new Set(['accept', 'range', 'user-agent'])

export interface HttpOptions {
  readonly userAgent?: string
  /** Connections per origin for uploads, and as many for all else; 16 if absent. */
  readonly connections?: number
  /** Milliseconds without a byte until NET_TIMEOUT; 60 s if absent. */
  readonly idleTimeoutMs?: number
  /** What TLS needs by `host[:port]` as in `URL.host`; asked once per origin. */
  readonly tls?: (host: string) => HostTls | Promise<HostTls>
  /** Hosts (`host` or `host:port`) that may be spoken to over plain http, credentials included. Loopback always may. */
  readonly plainHttpHosts?: readonly string[]
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY; no proxy if absent. */
  readonly env?: Environment
  readonly retry?: Partial<RetryPolicy>
  /**
   * What a host (`host[:port]` as in `URL.host`) is to be spared; asked once per host. With limits, none of which need be
   * set, requests also wait where RateLimit headers say that few are left. Retry-After is kept to in any case.
   * Clients that are given the same function keep the limits together.
   */
  readonly limits?: (host: string) => HostLimits | undefined
  /** Told when requests are held back. */
  readonly onLimit?: (event: LimitEvent) => void
  /** For the waits that limits need; that of the process if absent. */
  readonly clock?: Clock
}

export interface HttpClient {
  /**
   * Sends a request and gives any answer but 408, 429, 500, 502, 503 and 504. Follows up to 5 redirects of GET and HEAD;
   * credentials and custom headers stay at the first origin and are not sent again once it has been left. Repeats what
   * is idempotent by `retry`. Throws NET_UNAVAILABLE, NET_TIMEOUT, NET_RATE_LIMITED, NET_TLS, NET_ORIGIN_REFUSED,
   * NET_PLAIN_HTTP_REFUSED, REG_PROTOCOL, the signal's reason, and what the body's source throws (DESIGN §6).
   */
  request(request: HttpRequest): Promise<HttpResponse>
  /** The policy that `request` follows, for loops around it. */
  readonly retry: RetryPolicy
  /** True where plain http is announced as wanted for this `host[:port]`. */
  plainHttp(host: string): boolean
  /** True where certificates of this `host[:port]` are not checked. */
  unverified(host: string): Promise<boolean>
  /** Breaks off what is under way and closes all connections. */
  close(): Promise<void>
}

/** An HTTP/1.1 client for registries and repositories. undici is loaded at the first request. */
export function createHttp(options: HttpOptions = {}): HttpClient {
  const idleMs = options.idleTimeoutMs ?? 60_000
  const allowed = options.plainHttpHosts ?? []
  const tlsByHost = new Map<string, Promise<HostTls>>()
  const tls = (host: string) => {
    const known = tlsByHost.get(host) ?? Promise.resolve(options.tls?.(host) ?? {})
    tlsByHost.set(host, known)
    return known
  }
  const unverified = async (host: string) => (await tls(host)).verify === false
  const connections = options.connections ?? 16
  const pools: Dispatchers = dispatchers({
    connections: (host) => Math.max(connections, options.limits?.(host)?.concurrency ?? 0),
    idleTimeoutMs: idleMs,
    env: options.env ?? {},
    tls,
  })
  const large = sendLarge(pools, idleMs)
  const governor = governors(options)
  const retry = retryPolicy(options.retry)
  const once = retryPolicy({ ...options.retry, times: 0 })

  const attempt = async (request: HttpRequest, waited: { until: number }): Promise<HttpResponse> => {
    const timed = typeof request.body !== 'function' && request.expect === undefined
    const lane = typeof request.body === 'function' ? 'up' : 'down'
    let url = request.url
    let home = true
    for (let hops = 0; ; hops += 1) {
      const credentials = home ? await authorization(request, url) : {}
      const secret = request.secretBody === true || Object.keys(credentials).length > 0
      if (isLinkLocal(url.hostname)) checkHop(url, url)
      checkPlainHttp(url, {
        allowed,
        secret,
        unverified: url.protocol === 'http:' && (await unverified(url.host)),
      })
      const headers = { ...headersFor(request, home, options.userAgent), ...credentials }
      const host = governor(url.host)
      // What is stored elsewhere is still what the registry gives.
      const pace = host.pace ?? governor(request.url.host).pace
      const ask = {
        method: request.method,
        url,
        lane,
        timed,
        waitedUntil: waited.until,
        signal: request.signal,
      } as const
      const run: Run = (exchange) => host.run(ask, exchange)
      const paced = await pacedRequest(request, pace)
      const answer =
        (await large(paced, url, headers, run, pace)) ??
        (await run(() => send(pools, paced, url, headers, idleMs, pace)))
      const location = answer.header('location')
      if (!isRedirect(answer.status) || location === undefined || !isSafe(request)) {
        if (!isTransient(answer.status)) return answer
        waited.until = host.pausedUntil
        throw await statusError(answer, request)
      }
      await answer.dump()
      if (hops === MAX_REDIRECTS) throw tooManyRedirects(request)
      const next = target(location, url)
      checkHop(url, next)
      home &&= next.origin === request.url.origin
      url = next
    }
  }

  return {
    request: (request) => {
      const waited = { until: 0 }
      return withRetry(
        (request.idempotent ?? isSafe(request)) ? retry : once,
        () => attempt(request, waited),
        request.signal,
      )
    },
    retry,
    plainHttp: (host) => isNamed(new URL(`http://${host}`), allowed),
    unverified,
    close: () => pools.close(),
  }
}

function isSafe(request: HttpRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD'
}

async function authorization(request: HttpRequest, url: URL): Promise<HeaderValues> {
  const credentials = (await request.authorize?.(url)) ?? {}
  for (const value of Object.values(credentials)) registerSecret(value.split(' ').at(-1)!)
  return credentials
}

function headersFor(request: HttpRequest, home: boolean, userAgent: string | undefined): HeaderValues {
  const all = Object.entries({ 'user-agent': userAgent ?? 'carryall', ...request.headers })
  return Object.fromEntries(home ? all : all.filter(([name]) => KEPT_ABROAD.has(name.toLowerCase())))
}

function target(location: string, from: URL): URL {
  if (URL.canParse(location, from)) return new URL(location, from)
  throw new CarryallError(
    'REG_PROTOCOL',
    `${from.host} redirects to what is no URL: "${location.slice(0, 200)}"`,
    {
      subject: { kind: 'host', name: from.host },
    },
  )
}

function tooManyRedirects(request: HttpRequest): CarryallError {
  return new CarryallError(
    'REG_PROTOCOL',
    `More than ${MAX_REDIRECTS} redirects for ${request.method} ${request.url.origin}${request.url.pathname}`,
    {
      subject: { kind: 'host', name: request.url.host },
      expected: MAX_REDIRECTS,
    },
  )
}
