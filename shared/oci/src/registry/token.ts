import { CarryallError, registerSecret } from '@carryall/errors'
import type { HttpClient, HttpRequest, HttpResponse } from '@carryall/http'
import type { Credential } from './auth-file.ts'

const CLIENT = 'carryall'
const DEFAULT_LIFE_S = 60
const MAX_ANSWER = 1024 * 1024

/** A bearer token and how long it lives, in milliseconds from the request on. */
export interface Token {
  readonly value: string
  readonly lifeMs: number
}

export interface TokenRequest {
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
}

/** The token server's refusal, by its status. */
export interface TokenRefused {
  readonly refused: number
}

/**
 * Gets a token (distribution: token authentication): with a password by GET and Basic, with an identity token by OAuth2
 * POST, else anonymously. Fewer rights than asked for is not an error here. Throws REG_PROTOCOL and what `request` throws.
 */
export async function fetchToken(http: HttpClient, ask: TokenRequest): Promise<Token | TokenRefused> {
  const { credential } = ask
  const oauth = credential !== undefined && 'identityToken' in credential
  const answer = await http.request(oauth ? post(ask, credential.identityToken) : get(ask))
  if (answer.status >= 400 && answer.status < 500) {
    await answer.dump()
    return { refused: answer.status }
  }
  if (answer.status !== 200) {
    await answer.dump()
    throw broken(answer, `status ${answer.status}`)
  }
  return parse(answer, await answer.bytes(MAX_ANSWER))
}

/** `Authorization` for a user and a password (RFC 7617). */
export function basic(username: string, password: string): Record<string, string> {
  const value = Buffer.from(`${username}:${password}`).toString('base64')
  registerSecret(value)
  return { authorization: `Basic ${value}` }
}

function get({ realm, service, scopes, credential }: TokenRequest): HttpRequest {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('client_id', CLIENT)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const login = credential && 'password' in credential ? credential : undefined
  return { method: 'GET', url, ...(login ? { authorize: () => basic(login.username, login.password) } : {}) }
}

function post({ realm, service, scopes }: TokenRequest, identityToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: identityToken,
    client_id: CLIENT,
  })
  if (service !== undefined) form.set('service', service)
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    secretBody: true,
    idempotent: true,
  }
}

function parse(answer: HttpResponse, bytes: Buffer): Token {
  let fields: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null
  try {
    fields = JSON.parse(bytes.toString('utf8')) as typeof fields
  } catch {
    throw broken(answer, 'no JSON')
  }
  const value = fields?.token || fields?.access_token
  // Anything else could add a header of its own.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw broken(answer, 'no token')
  registerSecret(value)
  const life = Number(fields?.expires_in)
  return { value, lifeMs: (life > 0 ? life : DEFAULT_LIFE_S) * 1000 }
}

function broken(answer: HttpResponse, what: string): CarryallError {
  return new CarryallError('REG_PROTOCOL', `The token server ${answer.url.host} answers with ${what}`, {
    subject: { kind: 'host', name: answer.url.host },
  })
}
