import { isCarryallError } from '@carryall/errors'
import { type HttpClient, type HttpResponse, isLoopback, speaksPlainHttp, withRetry } from '@carryall/http'
import type { RegistryAddress } from './connection.ts'
import { registryHost } from './docker-hub.ts'

/** Where a registry answers, and its answer to `GET /v2/`, which tells how to log in. */
export interface Reached {
  readonly base: URL
  readonly answer: HttpResponse
}

/** Finds out where a registry answers: by https, or by plain http where that is allowed and nothing else is spoken. Throws NET_*. */
export async function reachRegistry(
  address: RegistryAddress,
  http: HttpClient,
  signal?: AbortSignal,
): Promise<Reached> {
  const host = registryHost(address.host)
  const plain = address.plainHttp === true || http.plainHttp(host)
  return plain ? ping(http, host, 'http', { signal }) : pingEither(http, host, signal)
}

async function ping(
  http: HttpClient,
  host: string,
  scheme: 'https' | 'http',
  { signal, idempotent = true }: { readonly signal: AbortSignal | undefined; readonly idempotent?: boolean },
): Promise<Reached> {
  const base = new URL(`${scheme}://${host}/`)
  const url = new URL('/v2/', base)
  const answer = await http.request({ method: 'GET', url, idempotent, ...(signal ? { signal } : {}) })
  await answer.dump()
  return { base, answer }
}

/**
 * https; plain http only where the other side does not speak TLS, and is on loopback or not verified anyway. On loopback plain http
 * is asked first: to load what TLS needs takes longer than to ask, and what speaks TLS says so.
 */
async function pingEither(http: HttpClient, host: string, signal: AbortSignal | undefined): Promise<Reached> {
  const { hostname } = new URL(`https://${host}/`)
  const once = { signal, idempotent: false }
  const plainFirst = async (): Promise<Reached | undefined> => {
    const reached = await ping(http, host, 'http', once).catch((error: unknown) => {
      // An answer that says "not now" is one.
      const answered = isCarryallError(error) && typeof error.details.actual === 'number'
      if (signal?.aborted || answered) throw error
      return undefined
    })
    // What a TLS server answers to plain http.
    return reached?.answer.status === 400 ? undefined : reached
  }
  const either = async () => {
    const plain = isLoopback(hostname) ? await plainFirst() : undefined
    if (plain !== undefined && plain.answer.url.protocol === 'http:') return plain
    try {
      return await ping(http, host, 'https', once)
    } catch (error) {
      const may = isLoopback(hostname) || (await http.unverified(host))
      if (!may || !isCarryallError(error) || !speaksPlainHttp(error)) throw error
      return ping(http, host, 'http', once)
    }
  }
  return withRetry(http.retry, either, signal)
}
