import type { Dispatchers } from './dispatchers.ts'
import { limit, type Limit } from './limit.ts'
import type { Pace } from './limits/pace.ts'
import type { HeaderValues, HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'

// Below this a connection of its own costs more than it saves.
const LARGE = 4 * 1024 * 1024
// More at once only take memory: each keeps a connection busy.
const AT_ONCE = 6
// A registry hashes and moves a large blob before it answers.
const ANSWER_TO_UPLOAD_MS = 15 * 60_000

/** Requests with a large body, by connections of their own; undefined for any other, which the pools send. */
export type SendLarge = (
  request: HttpRequest,
  url: URL,
  headers: HeaderValues,
  run: Run,
  pace: Pace | undefined,
) => Promise<HttpResponse | undefined>

/** Runs an exchange when it may begin. */
export type Run = <T extends HttpResponse | undefined>(exchange: () => Promise<T>) => Promise<T>

/** At most six downloads and six uploads at once for each origin. */
export function sendLarge(pools: Dispatchers, idleMs: number): SendLarge {
  const turns = new Map<string, Limit>()
  const turn = (key: string): Limit => {
    const known = turns.get(key) ?? limit(AT_ONCE)
    turns.set(key, known)
    return known
  }
  return async (request, url, headers, run, pace) => {
    const { method, body, size = 0, expect = 0, signal } = request
    const upload = typeof body === 'function' && size >= LARGE
    if (!upload && !(method === 'GET' && expect >= LARGE)) return undefined
    const route = await pools.route(url)
    if (route === undefined) return undefined
    const onEnd = await acquire(turn(`${upload ? 'up' : 'down'} ${url.origin}`), signal)
    const options = { route, idleMs, pace, signal, onEnd }
    const start = upload
      ? async () => {
          const { transmit } = await import('./raw/transmit.ts')
          const whole = { ...headers, 'content-length': String(size) }
          return transmit(method, url, whole, body, { ...options, answerMs: ANSWER_TO_UPLOAD_MS })
        }
      : async () => (await import('./raw/receive.ts')).receive(url, headers, options)
    // The turn comes before what the host permits: who waits for a turn keeps nobody else waiting.
    let begun = false
    try {
      return await run<HttpResponse | undefined>(() => {
        begun = true
        return start()
      })
    } finally {
      if (!begun) onEnd()
    }
  }
}

/** Takes a turn and gives the function that ends it. */
function acquire(turn: Limit, signal: AbortSignal | undefined): Promise<() => void> {
  return new Promise((granted, refused) => {
    turn(() => new Promise<void>((end) => granted(end)), signal).catch(refused)
  })
}
