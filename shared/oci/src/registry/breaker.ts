import { isCarryallError } from '@carryall/errors'
import { ConnectionFailures } from './connection-failures.ts'
import type { Connection, RegistryRequest } from './connection.ts'
import { LoginFailures } from './login-failures.ts'
import { WriteFailures } from './write-failures.ts'

export interface BreakerOptions {
  /** Requests in a row, each with its own retries, that do not reach the registry until it is given up; 8 if absent. */
  readonly failures?: number
}

/**
 * A connection that gives its registry up: what is asked for then fails at once, without a request. All of it where the
 * credentials are no longer taken (LOGIN_FAILED) or the registry cannot be reached (REG_GIVEN_UP); what writes where it is
 * read-only (REG_READ_ONLY), a quota is used up (REG_QUOTA_EXCEEDED) or its storage is full (REG_DISK_FULL). The subject of
 * these errors is what is given up: the host, or a namespace or repository of it, while all else goes on. What concerns a
 * single repository gives up no more than that.
 */
export function breaker(registry: Connection, { failures = 8 }: BreakerOptions = {}): Connection {
  const reach = new ConnectionFailures(registry, failures)
  const login = new LoginFailures(registry)
  const writes = new WriteFailures(registry.host)

  return {
    ...registry,
    request: async (request) => {
      reach.check()
      await login.check(request.access)
      writes.check(request)
      const source = watchedSource(request)
      try {
        const answer = await registry.request({
          ...source.request,
          explain: (status, body) => reach.givenUp ?? writes.explain(request, status, body),
        })
        reach.answered()
        return await writes.judge(request, answer)
      } catch (error) {
        if (request.signal?.aborted || source.threw(error)) throw error
        if (isCarryallError(error, 'AUTH_DENIED')) throw await login.judge(request.access, error)
        throw reach.judge(request, error)
      }
    },
  }
}

/** Keeps apart what the source of a body throws: that is no failure of the registry it goes to. */
function watchedSource(request: RegistryRequest): {
  readonly request: RegistryRequest
  threw(error: unknown): boolean
} {
  const { body } = request
  const thrown: unknown[] = []
  if (typeof body !== 'function') return { request, threw: () => false }
  const watched = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* body()
    } catch (error) {
      thrown.push(error)
      throw error
    }
  }
  return { request: { ...request, body: watched }, threw: (error) => thrown.includes(error) }
}
