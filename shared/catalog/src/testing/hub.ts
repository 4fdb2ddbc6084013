import { randomUUID } from 'node:crypto'
import { distributionV2 } from './distribution-v2.ts'
import { type FakeServer, type FakeServerOptions, startFake } from './fake-server.ts'
import { hubApi } from './hub-api.ts'
import { refusal } from './reply.ts'
import { tokenDoor } from './token-door.ts'

const WINDOW_S = 21_600

export interface HubOptions extends FakeServerOptions {
  /** Manifest GETs in six hours; more are answered with 429. No limit, and no header that tells one, if absent. */
  readonly pulls?: number
  /** API requests until one is answered with 429 and Retry-After. */
  readonly apiRequests?: number
  /** Tags of the API come without a digest of their own. */
  readonly hidesDigests?: boolean
}

export interface FakeHub extends FakeServer {
  readonly user: { readonly username: string; readonly password: string }
  /** Private repositories are there for those who are logged in. */
  setPrivate(repository: string): void
}

/** Starts a Docker Hub: registry, token server at `/token`, and web API at `/v2/repositories/`, all at one address. */
export function startHub(options: HubOptions = {}): Promise<FakeHub> {
  const user = { username: 'someone', password: `hub-${randomUUID()}` }
  const hidden = new Set<string>()
  let pulled = 0
  return startFake(options, (base) => {
    const door = tokenDoor()
    const api = hubApi(base, door, user, (repository) => hidden.has(repository), options)
    const v2 = distributionV2(base, door, {
      accounts: { [user.username]: user.password },
      realm: '/token',
      service: 'registry.docker.io',
      token: (token) => ({
        token,
        access_token: token,
        expires_in: 300,
        issued_at: new Date().toISOString(),
      }),
      // There is no catalog for anybody.
      grant: (account, { type, name, actions }) => {
        if (type !== 'repository') return []
        return account === undefined
          ? actions.filter((action) => action === 'pull' && !hidden.has(name))
          : actions
      },
      // Absent for accounts without a limit.
      headers: (_, { kind }): Record<string, string> =>
        options.pulls === undefined || kind !== 'manifest'
          ? {}
          : {
              'ratelimit-limit': `${options.pulls};w=${WINDOW_S}`,
              'ratelimit-remaining': `${Math.max(options.pulls - pulled, 0)};w=${WINDOW_S}`,
              'docker-ratelimit-source': '127.0.0.1',
            },
      check: ({ method }, { kind }) => {
        // A HEAD does not count.
        if (options.pulls === undefined || kind !== 'manifest' || method !== 'GET') return
        if (++pulled > options.pulls)
          throw refusal(429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.')
      },
    })
    return {
      answer: (exchange) => {
        const isApi = /^\/v2\/(?:repositories\/[^/]+\/(?:[^/]+\/tags\/?)?|auth\/token|users\/login)$/
        return isApi.test(exchange.path) ? api(exchange) : v2(exchange)
      },
      expireTokens: door.expireAll,
      extra: { user, setPrivate: (repository: string) => void hidden.add(repository) },
    }
  })
}
