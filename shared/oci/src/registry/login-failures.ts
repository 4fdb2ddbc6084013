import { CarryallError } from '@carryall/errors'
import { singleFlight } from '@carryall/http'
import type { Access } from './authorizer.ts'
import type { Connection } from './connection.ts'

/**
 * Gives up what is asked for with credentials that are no longer taken. A request that is denied may lack a right only; so the
 * registry, or its token server, is asked for nothing but to let us in, as `docker login` does. If not even that, they are void.
 */
export class LoginFailures {
  readonly #registry: Connection
  readonly #void = new Map<string, CarryallError>()
  readonly #share = singleFlight<boolean>()

  constructor(registry: Connection) {
    this.#registry = registry
  }

  /** Throws LOGIN_FAILED for credentials that are void. */
  async check(access: Access): Promise<void> {
    if (this.#void.size === 0) return
    const error = this.#void.get((await this.#key(access)) ?? '')
    if (error !== undefined) throw error
  }

  /** What to throw for a request that was denied with `error`. */
  async judge(access: Access, error: CarryallError): Promise<CarryallError> {
    const key = await this.#key(access)
    if (key === undefined) return error
    const known = this.#void.get(key)
    if (known !== undefined) return known
    // Who does not answer this does not say that they are void.
    const held = await this.#share(key, () => this.#registry.accepts(access)).catch(() => true)
    if (held) return error
    const found = this.#void.get(key) ?? this.#refused(error)
    this.#void.set(key, found)
    return found
  }

  async #key(access: Access): Promise<string | undefined> {
    const credential = await this.#registry.login(access)
    return credential && JSON.stringify(credential)
  }

  #refused(error: CarryallError): CarryallError {
    const { host } = this.#registry
    return new CarryallError('LOGIN_FAILED', `${host} does not take our credentials, whatever is asked for`, {
      subject: { kind: 'host', name: host },
      ...(error.details.hint === undefined ? {} : { hint: error.details.hint }),
      cause: error,
    })
  }
}
