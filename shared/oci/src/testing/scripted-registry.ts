import { createHttp, type HttpOptions, type Retry } from '@carryall/http'
import { type Seen, startServer, type TestServer } from '@carryall/http/testing'
import { onTestFinished } from 'vitest'
import { ANONYMOUS } from '../registry/credentials.ts'
import { openRegistry, type RegistryOptions } from '../registry/open-registry.ts'
import type { Destination } from '../store.ts'

export interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

export interface Scripted {
  readonly server: TestServer
  readonly store: Destination
  /** Waits between attempts, in milliseconds, which were not waited for. */
  readonly slept: readonly number[]
  readonly retries: readonly Retry[]
  /** `METHOD URL` of each request but the first. */
  log(): readonly string[]
}

/** A registry that answers as `answer` says, 404 to all else, and a store for it. */
export async function scriptedRegistry(
  answer: (seen: Seen, count: number) => Answer | undefined,
  options: HttpOptions = {},
  how: Partial<RegistryOptions> = {},
): Promise<Scripted> {
  const counts = new Map<string, number>()
  const server: TestServer = await startServer((seen, response) => {
    const key = `${seen.method} ${seen.url.replace(/\?.*/, '')}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    const {
      status,
      headers = {},
      body,
    } = answer(seen, counts.get(key)!) ?? { status: seen.url === '/v2/' ? 200 : 404 }
    response.writeHead(status, headers).end(body)
  })
  const slept: number[] = []
  const retries: Retry[] = []
  const retry = {
    sleep: async (ms: number) => void slept.push(ms),
    onRetry: (each: Retry) => retries.push(each),
    random: () => 1,
  }
  const http = createHttp({ ...options, retry: { ...retry, ...options.retry } })
  onTestFinished(async () => {
    await http.close()
    await server[Symbol.asyncDispose]()
  })
  const store = openRegistry({ host: server.host }, { http, credentials: ANONYMOUS, ...how })
  const log = () => server.requests.slice(1).map(({ method, url }) => `${method} ${url}`)
  return { server, store, slept, retries, log }
}

/** A refusal in the registry's own words (distribution-spec: error codes). */
export function refusing(status: number, code: string): Answer {
  return { status, body: JSON.stringify({ errors: [{ code, message: 'said so' }] }) }
}
