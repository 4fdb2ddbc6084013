import type { Exchange, FakeBase } from './fake-server.ts'
import { forward } from './forward.ts'
import { refusal, send, sendJson } from './reply.ts'
import { referrersIndex, storedImage } from './stored-image.ts'
import { type Accounts, basicAccount, may, type Scope, scopesOf, type TokenDoor } from './token-door.ts'
import { isWrite, type V2Route, v2Route } from './v2-route.ts'

/** In what products that are built on distribution differ from each other. */
export interface V2Rules {
  readonly accounts: Accounts
  /** Path of the token server. */
  readonly realm: string
  readonly service: string
  /** What a token comes in. */
  token(value: string): object
  /** Actions given of those asked for, fewer being no error. */
  grant(account: string | undefined, scope: Scope): readonly string[]
  /** Basic is taken at the registry itself, too. */
  readonly takesBasic?: boolean
  /** Says 401 with this challenge instead of the token server's. */
  challenge?(exchange: Exchange, route: V2Route): string | undefined
  /** Refuses what rights alone do not. */
  check?(exchange: Exchange, route: Exclude<V2Route, { kind: 'base' | 'catalog' }>): void
  /** Has the referrers API. */
  readonly referrers?: boolean
  /** Headers besides those of docker-registry, also on errors. */
  headers?(exchange: Exchange, route: V2Route): Readonly<Record<string, string>>
}

/** The distribution API of such a product, docker-registry behind it. */
export function distributionV2(
  { files, store, options: { linkOrigin = '' } }: FakeBase,
  door: TokenDoor,
  rules: V2Rules,
): (exchange: Exchange) => Promise<void> {
  const giveToken = (exchange: Exchange) => {
    // The OAuth2 form is not offered.
    if (exchange.method !== 'GET') throw refusal(405, 'UNSUPPORTED', 'method not allowed')
    const account = basicAccount(exchange, rules.accounts)
    if (account === null) throw refusal(401, 'UNAUTHORIZED', 'HTTP Basic: Access denied')
    const access = scopesOf(exchange.query).map((scope) => ({
      ...scope,
      actions: rules.grant(account, scope),
    }))
    sendJson(exchange, rules.token(door.issue({ account, access })))
  }

  const isAllowed = (exchange: Exchange, { type, name, actions }: Scope): boolean => {
    const basic = rules.takesBasic ? basicAccount(exchange, rules.accounts) : undefined
    if (typeof basic === 'string')
      return actions.every((action) => rules.grant(basic, { type, name, actions }).includes(action))
    const grant = door.grantOf(exchange)
    if (type === 'registry')
      return grant?.access.some((scope) => scope.type === type && scope.actions.length > 0) ?? false
    return name === '' ? grant !== undefined : actions.every((action) => may(grant, name, action))
  }

  const admit = (exchange: Exchange, route: V2Route) => {
    const scope = scopeOf(route, exchange.method)
    if (isAllowed(exchange, scope)) return
    const asks = scope.type === '' ? '' : `,scope="${scope.type}:${scope.name}:${scope.actions.join(',')}"`
    const challenge =
      rules.challenge?.(exchange, route) ??
      `Bearer realm="${exchange.origin}${rules.realm}",service="${rules.service}"${asks}`
    throw refusal(401, 'UNAUTHORIZED', 'authentication required', {
      'www-authenticate': challenge,
      'docker-distribution-api-version': 'registry/2.0',
    })
  }

  const names = (exchange: Exchange, all: readonly string[], value: (shown: readonly string[]) => object) => {
    const { query, path } = exchange
    const n = query.get('n')
    if (n !== null && !/^\d+$/.test(n))
      throw refusal(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results')
    const last = query.get('last') ?? ''
    const rest = all.filter((name) => name > last)
    // Without a number all of them come at once.
    const shown = n === null ? rest : rest.slice(0, Number(n))
    const next = new URLSearchParams({ n: String(n), last: shown.at(-1) ?? '' }).toString()
    const isLast = shown.length === rest.length || shown.length === 0
    sendJson(exchange, value(shown), isLast ? {} : { link: `<${linkOrigin}${path}?${next}>; rel="next"` })
  }

  const answer = async (exchange: Exchange, route: V2Route): Promise<unknown> => {
    if (route.kind === 'base') return sendJson(exchange, {})
    if (route.kind === 'catalog')
      return names(exchange, files.repositories(), (repositories) => ({ repositories }))
    rules.check?.(exchange, route)
    if (route.kind === 'tags') {
      if (!files.has(route.repository))
        throw refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
      const tags = files.tags(route.repository).map(({ name }) => name)
      return names(exchange, tags, (shown) => ({ name: route.repository, tags: shown }))
    }
    if (route.kind === 'referrers' && rules.referrers) {
      const type = exchange.query.get('artifactType')
      return send(exchange, 200, referrersIndex(files, route.repository, route.digest, type), {
        'content-type': 'application/vnd.oci.image.index.v1+json',
        ...(type === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      })
    }
    return forward(exchange, store, {
      headers: ({ headers }) => ({
        ...headers,
        ...subjectSaid(route, exchange, headers['docker-content-digest']),
      }),
    })
  }

  const subjectSaid = (route: V2Route, { method }: Exchange, digest: string | string[] | undefined) => {
    if (!rules.referrers || route.kind !== 'manifest' || method !== 'PUT' || typeof digest !== 'string')
      return {}
    const { subject } = storedImage(files, digest).json
    return subject ? { 'oci-subject': subject.digest } : {}
  }

  return async (exchange) => {
    if (exchange.path === rules.realm) return giveToken(exchange)
    const route = v2Route(exchange.path)
    if (route === undefined) throw refusal(404, 'NOT_FOUND', 'not found')
    for (const [name, value] of Object.entries(rules.headers?.(exchange, route) ?? {}))
      exchange.response.setHeader(name, value)
    admit(exchange, route)
    await answer(exchange, route)
  }
}

function scopeOf(route: V2Route, method: string): Scope {
  if (route.kind === 'base') return { type: '', name: '', actions: [] }
  if (route.kind === 'catalog') return { type: 'registry', name: 'catalog', actions: ['*'] }
  const actions = method === 'DELETE' ? ['delete'] : isWrite(method) ? ['pull', 'push'] : ['pull']
  return { type: 'repository', name: route.repository, actions }
}
