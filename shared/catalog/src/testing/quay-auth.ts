import type { Exchange } from './fake-server.ts'
import type { QuayBook } from './quay-book.ts'
import type { QuayOptions } from './quay.ts'
import { refusal, sendJson } from './reply.ts'
import { type Accounts, basicAccount, may, type Scope, scopesOf, type TokenDoor } from './token-door.ts'

// Quay's grammar of a scope: no other type than repository, no other action than these three.
const SCOPE = /^repository:(?:[\w.:-]+\/)?(?:[\w.-]+\/)*[\w.-]+:(?:push|pull|\*)(?:,(?:push|pull|\*))*$/

export interface QuayAuth {
  /** Answers `/v2/auth`. */
  giveToken(exchange: Exchange): void
  /** Refuses with 401 who may not do this; `action` is undefined for what needs no repository. Gives the account. */
  admit(exchange: Exchange, repository?: string, action?: 'pull' | 'push'): string | undefined
  mayRead(exchange: Exchange, repository: string): boolean
}

export function quayAuth(
  door: TokenDoor,
  book: QuayBook,
  accounts: Accounts,
  options: QuayOptions,
): QuayAuth {
  const isOpen = (repository: string) => {
    const state = book.states.get(repository) ?? 'NORMAL'
    return state === 'NORMAL' || options.refusesState !== 'token'
  }

  const challenge = ({ origin }: Exchange, scope?: string) => ({
    'www-authenticate': `Bearer realm="${origin}/v2/auth",service="${new URL(origin).host}"${scope ? `,scope="${scope}"` : ''}`,
    'docker-distribution-api-version': 'registry/2.0',
  })

  const unauthorized = (exchange: Exchange, message: string, scope?: string) =>
    refusal(401, 'UNAUTHORIZED', message, challenge(exchange, scope))

  // Fewer rights than asked for are no error: the token just lacks them.
  const granted = (account: string | undefined, { name, actions }: Scope): readonly string[] =>
    actions.filter((action) => {
      if (action === 'pull') return account !== undefined || book.isPublic.has(name)
      return account !== undefined && isOpen(name)
    })

  const mayRead = (exchange: Exchange, repository: string) => {
    const grant = door.grantOf(exchange)
    return (
      ['pull', 'push', '*'].some((action) => may(grant, repository, action)) || book.isPublic.has(repository)
    )
  }

  return {
    giveToken: (exchange) => {
      // The OAuth2 form is not offered.
      if (exchange.method !== 'GET') throw refusal(405, 'UNSUPPORTED', 'Method Not Allowed')
      const account = basicAccount(exchange, accounts)
      if (account === null)
        throw unauthorized(exchange, 'Could not find robot or user with these credentials')
      const texts = exchange.query.getAll('scope')
      if (account === undefined && texts.length === 0)
        throw unauthorized(exchange, 'access to the requested resource is not authorized')
      // `registry:catalog:*` is an error, not a scope without rights; several scopes in one parameter are no scope either.
      const wrong = texts.find((text) => text !== '' && !SCOPE.test(text))
      if (wrong !== undefined)
        throw refusal(400, 'INVALID_REQUEST', `Unable to decode repository and actions: ${wrong}`)
      const { host } = new URL(exchange.origin)
      const access = scopesOf(exchange.query).map((scope) => {
        // A name may begin with the registry's own host.
        const name = scope.name.startsWith(`${host}/`) ? scope.name.slice(host.length + 1) : scope.name
        const actions = granted(account, { ...scope, name })
        // A token for a push makes the repository.
        if (actions.includes('push')) book.made.add(name)
        return { ...scope, name, actions }
      })
      // Neither expires_in, nor issued_at, nor access_token.
      sendJson(exchange, { token: door.issue({ account, access }) })
    },

    admit: (exchange, repository, action = 'pull') => {
      const scope = repository && `repository:${repository}:${action === 'push' ? 'pull,push' : 'pull'}`
      const grant = door.grantOf(exchange)
      if (exchange.request.headers.authorization !== undefined && grant === undefined)
        throw unauthorized(exchange, 'Signature has expired', scope)
      if (repository === undefined) return grant?.account
      const isAllowed =
        action === 'pull'
          ? mayRead(exchange, repository)
          : may(grant, repository, 'push') || may(grant, repository, '*')
      if (isAllowed) return grant?.account
      throw unauthorized(exchange, 'access to the requested resource is not authorized', scope)
    },

    mayRead,
  }
}
