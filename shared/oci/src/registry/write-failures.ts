import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import type { RegistryRequest } from './connection.ts'
import { errorIn } from './refusal.ts'
import { RefusalScopes, type Scope, scopesOf } from './refusal-scopes.ts'
import { writeRefusal, type WriteRefusal } from './write-refusal.ts'

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const MAX_BODY = 64 * 1024
// All others are taken, retried, or have a meaning of their own.
const REFUSALS = new Set([400, 403, 405, 412, 413, 423, 507])
const STORED = new Set([201, 204])

type Code = WriteRefusal['code']

/** Gives up writing to what is read-only or full: a registry, a namespace, a repository. */
export class WriteFailures {
  readonly #host: string
  readonly #givenUp = new Map<Scope, CarryallError>()
  readonly #scopes: Readonly<Record<Code, RefusalScopes>> = {
    REG_READ_ONLY: new RefusalScopes(),
    REG_QUOTA_EXCEEDED: new RefusalScopes(),
    REG_DISK_FULL: new RefusalScopes(),
  }

  constructor(host: string) {
    this.#host = host
  }

  /** Throws what was thrown when the place that is to be written to was given up. */
  check({ method, access }: RegistryRequest): void {
    if (this.#givenUp.size === 0 || !WRITES.has(method)) return
    for (const scope of scopesOf(access.repository ?? '')) {
      const error = this.#givenUp.get(scope)
      // To delete is what helps against the others.
      if (error !== undefined && (method !== 'DELETE' || error.code === 'REG_READ_ONLY')) throw error
    }
  }

  /** The error for an answer that would be repeated, where there is no use in that. */
  explain(request: RegistryRequest, status: number, body: string): CarryallError | undefined {
    return WRITES.has(request.method) ? this.#judge(request, status, body, undefined) : undefined
  }

  /** Gives the answer back, whose body is still to be read, unless it says that nothing is to be written. */
  async judge(request: RegistryRequest, answer: HttpResponse): Promise<HttpResponse> {
    if (!WRITES.has(request.method)) return answer
    if (request.method === 'PUT' && STORED.has(answer.status))
      for (const scopes of Object.values(this.#scopes)) scopes.succeed(request.access.repository ?? '')
    if (!REFUSALS.has(answer.status)) return answer
    const bytes = await answer.bytes(MAX_BODY).catch(() => Buffer.alloc(0))
    const error = this.#judge(request, answer.status, bytes.toString('utf8'), answer.header('allow'))
    if (error !== undefined) throw error
    return replayed(answer, bytes)
  }

  #judge(
    { method, path, access }: RegistryRequest,
    status: number,
    body: string,
    allow: string | undefined,
  ): CarryallError | undefined {
    const { repository = '' } = access
    const refused = { method, path: path.toString(), repository, status, body, allow }
    const refusal = writeRefusal(refused)
    if (refusal === undefined) return undefined
    const make = (scope: Scope) => this.#error(refusal.code, scope, status, body)
    const scopes = this.#concerned(refusal, repository)
    for (const scope of scopes) if (!this.#givenUp.has(scope)) this.#givenUp.set(scope, make(scope))
    const widest = scopes.at(-1)
    return widest === undefined ? make(repository) : this.#givenUp.get(widest)
  }

  #concerned({ code, concerns }: WriteRefusal, repository: string): readonly Scope[] {
    const [self = '', namespace = ''] = scopesOf(repository)
    if (concerns === undefined) return this.#scopes[code].refuse(repository)
    return [{ repository: self, namespace, registry: '' }[concerns]]
  }

  #error(code: Code, scope: Scope, status: number, body: string): CarryallError {
    const said = errorIn(body)
    const where = scope === '' ? this.#host : `${this.#host}/${scope}`
    const words = [said.code, said.message].filter(Boolean).join(': ')
    return new CarryallError(code, `${where} ${WORDS[code]}: ${status}${words ? ` ${words}` : ''}`, {
      subject: { kind: scope === '' ? 'host' : 'repository', name: where },
      actual: said.code ?? status,
      hint: HINTS[code](where),
    })
  }
}

const WORDS: Readonly<Record<Code, string>> = {
  REG_READ_ONLY: 'takes no writes',
  REG_QUOTA_EXCEEDED: 'takes no more, as its quota is used up',
  REG_DISK_FULL: 'has no space left to write to',
}

const HINTS: Readonly<Record<Code, (where: string) => string>> = {
  REG_READ_ONLY: (where) => `Let ${where} be written to, and run the same command again`,
  REG_QUOTA_EXCEEDED: (where) =>
    `Raise the quota of ${where} or delete what is not needed there, and run the same command again`,
  REG_DISK_FULL: (where) =>
    `Make room on ${where} (garbage collection, a larger disk), and run the same command again`,
}

/** The answer with a body that has been read. */
function replayed(answer: HttpResponse, bytes: Buffer): HttpResponse {
  return {
    ...answer,
    body: (async function* () {
      if (bytes.length > 0) yield bytes
    })(),
    bytes: async (limit) => bytes.subarray(0, limit),
    dump: async () => {},
  }
}
