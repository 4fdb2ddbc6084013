import { CarryallError } from '@carryall/errors'
import type { HeaderValues, HttpClient, HttpRequest, HttpResponse } from '@carryall/http'
import { errorIn, refused, requestWhole } from '@carryall/oci'

const MAX_ANSWER = 32 * 1024 * 1024
const MAX_REFUSAL = 64 * 1024

/** What a schema is to us. */
export interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/** An API beside the registry, at an origin of its own. */
export interface ApiClient {
  readonly base: URL
  /**
   * The JSON of an answer, checked; undefined where the API says that there is no such thing. Throws API_PROTOCOL for any
   * other JSON, API_UNSUPPORTED for a 404 that no API made, NET_ORIGIN_REFUSED for an answer from elsewhere, API_TOKEN_MISSING,
   * LOGIN_FAILED for a token that is wrong or has expired, AUTH_*, REG_REFUSED, REG_PROTOCOL, NET_*.
   */
  get<T>(path: string | URL, schema: Schema<T>, options: GetOptions): Promise<ApiAnswer<T> | undefined>
}

export interface GetOptions {
  /** For messages: "list the tags of a/b". */
  readonly action: string
  readonly signal?: AbortSignal | undefined
  /** What says that there is no such thing; 404 if absent. */
  readonly absent?: readonly number[]
}

export interface ApiAnswer<T> {
  readonly body: T
  readonly answer: HttpResponse
}

export interface ApiOptions {
  /** For messages: "Quay". */
  readonly name: string
  readonly base: URL
  readonly http: HttpClient
  /** Who we are; for this origin only. */
  readonly headers?: () => HeaderValues | Promise<HeaderValues>
  /** After a 401: forgets what `headers` gave; false where it would give the same again. */
  readonly renew?: () => boolean
  /** True for the body of a 401 that only this API gives: the token is wrong or has expired. */
  readonly refusesToken?: (body: string) => boolean
  /** What is wrong where we are nobody and not let in. */
  readonly anonymous?: (action: string) => CarryallError
}

/** A client for one API. Credentials go to the origin of `base` and nowhere else. */
export function apiClient(options: ApiOptions): ApiClient {
  const { name, base, http, headers, renew, refusesToken, anonymous } = options
  const send = async (url: URL, signal: AbortSignal | undefined) =>
    requestWhole<HttpRequest>(
      { http, request: (request) => http.request(request) },
      {
        method: 'GET',
        url,
        headers: { accept: 'application/json' },
        ...(headers === undefined ? {} : { authorize: headers }),
        ...(signal === undefined ? {} : { signal }),
      },
      MAX_ANSWER,
    )

  return {
    base,
    async get(path, schema, { action, signal, absent = [404] }) {
      const url = new URL(path, base)
      let { answer, bytes } = await send(url, signal)
      if (answer.status === 401 && renew?.()) {
        await answer.dump()
        ;({ answer, bytes } = await send(url, signal))
      }
      if (answer.url.origin !== base.origin) {
        await answer.dump()
        throw fromElsewhere(name, answer, base)
      }
      if (bytes !== undefined) return { body: parse(name, bytes, schema, answer), answer }
      if (absent.includes(answer.status)) {
        await answer.dump()
        if (/\bjson\b/.test(answer.header('content-type') ?? '')) return undefined
        throw noApi(name, answer)
      }
      if (anonymous !== undefined && (answer.status === 401 || answer.status === 403)) {
        await answer.dump()
        throw anonymous(action)
      }
      const said = (await answer.bytes(MAX_REFUSAL).catch(() => Buffer.alloc(0))).toString('utf8')
      if (answer.status === 401 && refusesToken?.(said)) throw tokenRefused(name, base)
      throw refused(answer, errorIn(said), action, { kind: 'host', name: base.host })
    },
  }
}

function parse<T>(name: string, bytes: Buffer, schema: Schema<T>, { url }: HttpResponse): T {
  const subject = { kind: 'host', name: url.host } as const
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new CarryallError('API_PROTOCOL', `${url.host} answers ${url.pathname} with no JSON`, {
      subject,
      hint: `Is it the ${name} API that answers there? Give another --api`,
    })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const pointer = `#${(issue?.path ?? []).map((part) => `/${String(part)}`).join('')}`
  throw new CarryallError(
    'API_PROTOCOL',
    `${url.host} answers ${url.pathname} with what the ${name} API does not: ${pointer}: ${issue?.message ?? ''}`,
    { subject, pointer },
  )
}

function fromElsewhere(name: string, { url }: HttpResponse, base: URL): CarryallError {
  return new CarryallError(
    'NET_ORIGIN_REFUSED',
    `Refused what ${url.host} answers for the ${name} API of ${base.host}`,
    {
      subject: { kind: 'host', name: url.host },
      expected: base.origin,
      actual: url.origin,
      hint: `Name the registry by the address that ${base.host} redirects to`,
    },
  )
}

function noApi(name: string, { url, status }: HttpResponse): CarryallError {
  return new CarryallError(
    'API_UNSUPPORTED',
    `${url.host} answers ${url.pathname} with ${status} and no ${name} API`,
    {
      subject: { kind: 'host', name: url.host },
      actual: status,
      hint: 'Give the --api that it has, or have the proxy in front of it pass the path on unchanged',
    },
  )
}

function tokenRefused(name: string, { host }: URL): CarryallError {
  return new CarryallError('LOGIN_FAILED', `${host} does not take the token for the ${name} API`, {
    subject: { kind: 'host', name: host },
    actual: 401,
    hint: 'It is wrong or has expired: make one that may read repositories, or leave it out and list by the distribution API',
  })
}
