import { distributionV2, type V2Rules } from './distribution-v2.ts'
import type { Exchange, FakeBase } from './fake-server.ts'
import type { HarborProjects } from './harbor-projects.ts'
import { refusal } from './reply.ts'
import type { Accounts, TokenDoor } from './token-door.ts'
import { isWrite } from './v2-route.ts'

/** Harbor's distribution API. */
export function harborV2(
  base: FakeBase,
  door: TokenDoor,
  projects: HarborProjects,
  accounts: Accounts,
  admin: string,
): (exchange: Exchange) => Promise<void> {
  const rules: V2Rules = {
    accounts,
    realm: '/service/token',
    service: 'harbor-registry',
    referrers: true,
    takesBasic: true,
    token: (token) => ({
      token,
      access_token: '',
      expires_in: 1800,
      issued_at: new Date().toISOString().replace(/\.\d+/, ''),
    }),
    grant: (account, { type, name, actions }) => {
      // The catalog is for system administrators: robots of projects do not see it.
      if (type === 'registry') return account === admin ? actions : []
      if (type !== 'repository') return actions
      const project = projects.all.get(projects.split(name)[0])
      // A project that does not exist is nobody's: a push to it is unauthorized, not unknown.
      if (project === undefined) return []
      return account === undefined ? actions.filter((action) => action === 'pull' && project.public) : actions
    },
    // For those who have shown something, and for the catalog, the challenge is Basic.
    challenge: ({ request }, { kind }) =>
      kind === 'catalog' || request.headers.authorization !== undefined ? 'Basic realm="harbor"' : undefined,
    check: ({ method }, route) => {
      const [name, rest] = projects.split(route.repository)
      const project = projects.all.get(name)
      if (route.kind === 'manifest' && method === 'DELETE' && !route.reference.includes(':'))
        throw refusal(400, 'UNSUPPORTED', `unsupported digest ${route.reference}`)
      if (!isWrite(method)) return
      if (project?.proxyCache && method !== 'DELETE')
        throw refusal(403, 'DENIED', `can not push artifact to a proxy project: ${name}`)
      if (route.kind === 'manifest' && method === 'PUT') {
        const isThere = base.files.tags(route.repository).some((tag) => tag.name === route.reference)
        // Even with the digest that it has already.
        if (isThere && projects.isImmutable(route.repository, route.reference))
          throw refusal(
            412,
            'PRECONDITION',
            `Failed to process request due to '${rest}:${route.reference}' configured as immutable.`,
          )
      }
      if (route.kind === 'manifest' && method === 'DELETE') {
        const on = base.files.tags(route.repository).filter(({ digest }) => digest === route.reference)
        const kept = on.find((tag) => projects.isImmutable(route.repository, tag.name))
        if (kept)
          throw refusal(
            412,
            'PRECONDITION',
            `the tag ${kept.name} configured as immutable, cannot be deleted`,
          )
      }
      const isUpload = route.kind === 'upload' || route.kind === 'uploads'
      if (isUpload && project?.quota !== undefined && projects.used(name) >= project.quota)
        throw refusal(
          403,
          'DENIED',
          `adding 1.0 MiB of storage resource, which when updated to current usage of ${projects.used(name)} B will exceed the configured upper limit of ${project.quota} B.`,
        )
    },
  }
  return distributionV2(base, door, rules)
}
