import { randomUUID } from 'node:crypto'
import { type FakeServer, type FakeServerOptions, startFake } from './fake-server.ts'
import { harborApi } from './harbor-api.ts'
import { harborProjects } from './harbor-projects.ts'
import { harborV2 } from './harbor-v2.ts'
import { send } from './reply.ts'
import { tokenDoor } from './token-door.ts'

export interface HarborProject {
  readonly public?: boolean
  /** Caches another registry and takes no pushes. */
  readonly proxyCache?: boolean
  /** Tags that match (the repository below its project by one glob, the tag by another) cannot be pushed again: 412. */
  readonly immutable?: readonly { readonly repository: string; readonly tag: string }[]
  /** Uploads are refused with 403 DENIED when the project holds so many bytes. */
  readonly quota?: number
}

export interface HarborOptions extends FakeServerOptions {
  /** By name. Other projects do not exist: a push to them is refused. One private project `library` if absent. */
  readonly projects?: Readonly<Record<string, HarborProject>>
  /** A proxy in front loses the Link headers of the API. */
  readonly losesLink?: boolean
  /** A proxy in front decodes paths once, so that a repository with a slash is not found. */
  readonly decodesPaths?: boolean
}

export interface FakeHarbor extends FakeServer {
  /** Sees and may do everything. */
  readonly admin: { readonly username: string; readonly password: string }
  /** A robot account: pulls and pushes in all projects, lists them by the API, but not by `/v2/_catalog`. */
  readonly robot: { readonly username: string; readonly password: string }
  /** Changes a project, or makes one. */
  setProject(name: string, project: HarborProject): void
}

/** Starts a Harbor: the registry, its token service at `/service/token`, and API v2.0. */
export function startHarbor(options: HarborOptions = {}): Promise<FakeHarbor> {
  const admin = { username: 'admin', password: `admin-${randomUUID()}` }
  const robot = { username: 'robot$ci', password: `robot-${randomUUID()}` }
  const accounts = { [admin.username]: admin.password, [robot.username]: robot.password }
  return startFake(options, (base) => {
    const projects = harborProjects(base, options.projects ?? { library: {} })
    const door = tokenDoor()
    const v2 = harborV2(base, door, projects, accounts, admin.username)
    const api = harborApi(base, projects, accounts, options)
    return {
      answer: async (exchange) => {
        const { path } = exchange
        if (path.startsWith('/api/')) return api(exchange)
        if (path.startsWith('/v2') || path.startsWith('/service/')) return v2(exchange)
        // Anything else is the portal's page.
        send(exchange, 200, '<!doctype html><title>Harbor</title>', { 'content-type': 'text/html' })
      },
      expireTokens: door.expireAll,
      extra: {
        admin,
        robot,
        setProject: (name: string, project: HarborProject) => void projects.all.set(name, project),
      },
    }
  })
}
