import { CarryallError, isCarryallError } from '@carryall/errors'
import { isRetryable } from '@carryall/http'
import type { Connection, RegistryRequest } from './connection.ts'

// What a proxy says for a registry that is not there.
const AWAY = new Set<unknown>([502, 503, 504])

/** Gives a registry up that so many requests in a row did not reach. */
export class ConnectionFailures {
  readonly #registry: Connection
  readonly #most: number
  #attempts = 0
  #last: unknown
  #givenUp: CarryallError | undefined

  constructor(registry: Connection, failures: number) {
    this.#registry = registry
    this.#most = failures * (registry.http.retry.times + 1)
  }

  get givenUp(): CarryallError | undefined {
    return this.#givenUp
  }

  check(): void {
    if (this.#givenUp !== undefined) throw this.#givenUp
  }

  /** The registry said something. */
  answered(): void {
    this.#attempts = 0
  }

  /** What to throw for a request that failed with `error`: REG_GIVEN_UP when it is one too many. */
  judge(request: RegistryRequest, error: unknown): unknown {
    // Requests that wait for the same first contact fail with it, all in one.
    if (!isCarryallError(error) || error === this.#last) return this.#givenUp ?? error
    this.#last = error
    if (isOutage(error)) this.#attempts += this.#attemptsOf(request, error)
    else if (typeof error.details.actual === 'number') this.answered()
    if (this.#attempts >= this.#most) this.#givenUp ??= this.#giveUp(error)
    return this.#givenUp ?? error
  }

  /** Attempts are counted, as a request that must not be repeated by the client is one of several that its caller makes. */
  #attemptsOf(
    { method, idempotent = method === 'GET' || method === 'HEAD' }: RegistryRequest,
    error: unknown,
  ) {
    return idempotent || !isRetryable(error) ? this.#registry.http.retry.times + 1 : 1
  }

  #giveUp(error: CarryallError): CarryallError {
    const { host } = this.#registry
    const { actual } = error.details
    return new CarryallError('REG_GIVEN_UP', `Gave up ${host}, which cannot be reached: ${error.message}`, {
      subject: { kind: 'host', name: host },
      ...(actual === undefined ? {} : { actual }),
      cause: error,
      hint: `Run the same command again when ${host} is back; what is done stays done`,
    })
  }
}

function isOutage(error: CarryallError): boolean {
  if (!isCarryallError(error, 'NET_UNAVAILABLE', 'NET_TIMEOUT', 'NET_TLS')) return false
  const { actual } = error.details
  return typeof actual !== 'number' || AWAY.has(actual)
}
