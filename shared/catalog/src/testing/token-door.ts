import { randomUUID } from 'node:crypto'
import type { Exchange } from './fake-server.ts'

/** `type:name:action,action` of the token protocol. */
export interface Scope {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

export interface Grant {
  /** Undefined for anonymous. */
  readonly account: string | undefined
  readonly access: readonly Scope[]
}

/** The tokens that a server has given. */
export interface TokenDoor {
  issue(grant: Grant): string
  /** Undefined for a token that it has not given, or that has expired. */
  grantOf(exchange: Exchange): Grant | undefined
  expireAll(): void
}

export function tokenDoor(): TokenDoor {
  const grants = new Map<string, Grant>()
  return {
    issue: (grant) => {
      const token = `token-${randomUUID()}`
      grants.set(token, grant)
      return token
    },
    grantOf: ({ request }) =>
      grants.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''),
    expireAll: () => grants.clear(),
  }
}

export type Accounts = Readonly<Record<string, string>>

/** The account of a Basic header: undefined without one, null where it is wrong. */
export function basicAccount({ request }: Exchange, accounts: Accounts): string | undefined | null {
  const { authorization } = request.headers
  if (authorization === undefined) return undefined
  const plain = Buffer.from(/^Basic (.+)$/.exec(authorization)?.[1] ?? '', 'base64').toString()
  const [, name = '', password] = /^([^:]*):(.*)$/s.exec(plain) ?? []
  return accounts[name] !== undefined && accounts[name] === password ? name : null
}

/** The scopes of a token request; both forms, repeated and joined by spaces. */
export function scopesOf(query: URLSearchParams): readonly Scope[] {
  return query
    .getAll('scope')
    .flatMap((text) => text.split(' '))
    .filter(Boolean)
    .map((text) => {
      const [type = '', ...rest] = text.split(':')
      return { type, name: rest.slice(0, -1).join(':'), actions: (rest.at(-1) ?? '').split(',') }
    })
}

export function may(grant: Grant | undefined, repository: string, action: string): boolean {
  return (
    grant?.access.some(
      ({ type, name, actions }) => type === 'repository' && name === repository && actions.includes(action),
    ) ?? false
  )
}
