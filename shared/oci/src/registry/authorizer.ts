import { CarryallError } from '@carryall/errors'
import { type HeaderValues, type HttpClient, type HttpResponse, singleFlight } from '@carryall/http'
import type { Credential } from './auth-file.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { checkRealm } from './realm.ts'
import { basic, fetchToken, type Token } from './token.ts'

// A token is not used for its last seconds, so that it lives until the registry looks at it.
const MARGIN_MS = 10_000

export interface AuthorizerOptions {
  /** As the operator names the registry; the key of its credentials. */
  readonly host: string
  readonly http: HttpClient
  readonly credentials: Credentials
  /** Token servers (`host` or `host:port`) that are trusted besides those of the registry's own site. */
  readonly allowedRealms: readonly string[]
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number
}

/** What a request needs to be allowed to do. The first is what the credentials are looked up for. */
export interface Access {
  readonly repository?: string
  /** distribution token scopes; none is a request without one. */
  readonly scopes: readonly string[]
}

/** Credentials as headers for the requests to one registry. */
export interface Authorizer {
  /** The registry's first word on how to log in. */
  learn(answer: HttpResponse): void
  /** Headers for a request; none before a challenge. Throws AUTH_REQUIRED, AUTH_DENIED, NET_ORIGIN_REFUSED, NET_*. */
  headers(access: Access): Promise<HeaderValues>
  /** After a 401: takes in its challenge and says if another try makes sense. */
  renew(access: Access, answer: HttpResponse): Promise<boolean>
  /** The error for a 401 that stays. */
  denied(access: Access): Promise<CarryallError>
  /** True unless the login for `access` is refused as such, whatever it is to be used for; asks anew. Throws NET_*. */
  accepts(access: Access): Promise<boolean>
}

interface Kept extends Token {
  readonly until: number
}

/** Basic and Bearer authentication (RFC 7617, 6750; distribution-spec: token authentication), a token per set of scopes. */
export function authorizer(registry: URL, options: AuthorizerOptions): Authorizer {
  const { host, http, credentials, allowedRealms, monotonic } = options
  const tokens = new Map<string, Kept>()
  const announced = new Map<string, readonly string[]>()
  const share = singleFlight<Kept>()
  let challenge: Challenge | undefined

  const known = (access: Access) => credentials.find(host, access.repository)

  const denied = async (access: Access, by = host) => {
    const some = (await known(access)) !== undefined
    const where = access.repository === undefined ? host : `${host}/${access.repository}`
    return new CarryallError(some ? 'AUTH_DENIED' : 'AUTH_REQUIRED', `${by} does not let us in to ${where}`, {
      subject: { kind: 'host', name: host },
      hint: some
        ? `Check the rights of the account for ${where}, or log in again with "skopeo login ${host}". ${credentials.describe(host)}`
        : `Log in with "skopeo login ${host}" or give --authfile FILE. ${credentials.describe(host)}`,
    })
  }

  const get = async (access: Access, { parameters }: Challenge): Promise<Kept> => {
    const realm = checkRealm(parameters.realm ?? '', registry, allowedRealms)
    const scopes = announced.get(key(access)) ?? access.scopes
    const ask = { realm, service: parameters.service, scopes, credential: await known(access) }
    const started = monotonic()
    let token = await fetchToken(http, ask)
    // Some token servers know repositories only and list the catalog for a token without any scope.
    const catalog = scopes.some((scope) => scope.startsWith('registry:'))
    if ('refused' in token && token.refused === 400 && catalog)
      token = await fetchToken(http, { ...ask, scopes: [] })
    if ('refused' in token) throw await denied(access, realm.host)
    return { ...token, until: started + token.lifeMs - Math.min(MARGIN_MS, token.lifeMs / 2) }
  }

  return {
    learn: (answer) => {
      challenge = choose(answer)
    },

    headers: async (access) => {
      if (challenge?.scheme === 'basic') {
        const credential = await known(access)
        return credential && 'password' in credential ? basic(credential.username, credential.password) : {}
      }
      if (challenge?.scheme !== 'bearer') return {}
      const current = challenge
      const kept = tokens.get(key(access))
      if (kept && kept.until > monotonic()) return bearer(kept)
      const fresh = await share(key(access), () => get(access, current))
      tokens.set(key(access), fresh)
      return bearer(fresh)
    },

    renew: async (access, answer) => {
      const next = choose(answer)
      if (!next) return false
      const first = challenge === undefined
      challenge = next
      if (next.scheme === 'basic') return first && (await known(access)) !== undefined
      tokens.delete(key(access))
      const scope = next.parameters.scope?.trim()
      if (scope)
        announced.set(key(access), [...new Set([...access.scopes, ...scope.split(/\s+/)].map(sorted))])
      return true
    },

    denied,

    accepts: async (access) => {
      const credential = await known(access)
      if (credential === undefined || challenge === undefined) return true
      if (challenge.scheme === 'basic') return pingAs(http, registry, credential)
      const { realm = '', service } = challenge.parameters
      const ask = { realm: checkRealm(realm, registry, allowedRealms), service, scopes: [], credential }
      const token = await fetchToken(http, ask)
      // An OAuth2 server says 400 to a refresh token that it does not know (RFC 6749 §5.2).
      return !(
        'refused' in token &&
        (token.refused === 401 || (token.refused === 400 && 'identityToken' in credential))
      )
    },
  }
}

/** What `docker login` does to see whether a password is right. */
async function pingAs(http: HttpClient, registry: URL, credential: Credential): Promise<boolean> {
  if (!('password' in credential)) return true
  const authorize = () => basic(credential.username, credential.password)
  const answer = await http.request({ method: 'GET', url: new URL('/v2/', registry), authorize })
  await answer.dump()
  return answer.status !== 401
}

/** Registries name the actions in any order: `push,pull` is no other scope than `pull,push`. */
function sorted(scope: string): string {
  const colon = scope.lastIndexOf(':')
  return `${scope.slice(0, colon + 1)}${scope
    .slice(colon + 1)
    .split(',')
    .toSorted()
    .join(',')}`
}

function key({ scopes }: Access): string {
  return scopes.toSorted().join(' ')
}

function bearer({ value }: Token): HeaderValues {
  return { authorization: `Bearer ${value}` }
}

function choose(answer: HttpResponse): Challenge | undefined {
  const challenges = parseChallenges(answer.headers('www-authenticate'))
  return (
    challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm !== undefined) ??
    challenges.find(({ scheme }) => scheme === 'basic')
  )
}
