import { randomUUID } from 'node:crypto'
import { distributionV2 } from './distribution-v2.ts'
import { type FakeServer, type FakeServerOptions, startFake } from './fake-server.ts'
import { gitlabApi } from './gitlab-api.ts'
import { Refused } from './reply.ts'
import { tokenDoor } from './token-door.ts'

export interface GitlabOptions extends FakeServerOptions {
  /** Paths of projects; repositories lie at or below them. If absent, the first two components of each are its project. */
  readonly projects?: readonly string[]
  /** Says nothing of totals, as with more than 10,000 entries. */
  readonly hidesTotals?: boolean
}

export interface FakeGitlab extends FakeServer {
  /** Personal access token for the header PRIVATE-TOKEN; also the password of `user`. */
  readonly apiToken: string
  readonly user: { readonly username: string; readonly password: string }
}

/** Starts a GitLab: the registry, its token server at `/jwt/auth`, and API v4. */
export function startGitlab(options: GitlabOptions = {}): Promise<FakeGitlab> {
  const apiToken = `glpat-${randomUUID()}`
  const user = { username: 'ci', password: apiToken }
  return startFake(options, (base) => {
    const door = tokenDoor()
    const api = gitlabApi(base, apiToken, options)
    const v2 = distributionV2(base, door, {
      accounts: { [user.username]: user.password },
      realm: '/jwt/auth',
      service: 'container_registry',
      referrers: true,
      token: (token) => ({ token }),
      // The catalog is for administrators only; nothing is for those who are not logged in.
      grant: (account, { type, actions }) => (account !== undefined && type === 'repository' ? actions : []),
    })
    return {
      answer: (exchange) => {
        const { path } = exchange
        if (path.startsWith('/api/v4/')) return api(exchange)
        if (path.startsWith('/api/')) throw new Refused(404, { error: '404 Not Found' })
        if (path.startsWith('/v2') || path === '/jwt/auth') return v2(exchange)
        // Every other page asks for a login first.
        throw new Refused(302, '', { location: `${exchange.origin}/users/sign_in` })
      },
      expireTokens: door.expireAll,
      extra: { apiToken, user },
    }
  })
}
