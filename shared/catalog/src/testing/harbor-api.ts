import type { Exchange, FakeBase } from './fake-server.ts'
import { harborArtifacts } from './harbor-artifacts.ts'
import type { HarborProjects } from './harbor-projects.ts'
import type { HarborOptions } from './harbor.ts'
import { listedPage, numberOf } from './listed-page.ts'
import { refusal, sendJson } from './reply.ts'
import { type Accounts, basicAccount } from './token-door.ts'

const PAGE = 10
const MAX_PAGE = 100

/** Harbor's REST API v2.0. */
export function harborApi(
  base: FakeBase,
  projects: HarborProjects,
  accounts: Accounts,
  options: HarborOptions,
): (exchange: Exchange) => Promise<void> {
  const { files, turnTo } = base

  const accountOf = (exchange: Exchange): string | undefined => {
    const account = basicAccount(exchange, accounts)
    if (account === null) throw refusal(401, 'UNAUTHORIZED', 'unauthorized')
    return account
  }

  /** A plain array; how many there are, and where to go on, is said in headers. */
  const list = async (exchange: Exchange, listing: string, all: () => readonly object[]) => {
    const { query, path, origin } = exchange
    const size = numberOf(query, 'page_size', PAGE)
    if (size > MAX_PAGE)
      throw refusal(422, 'UNPROCESSABLE_ENTITY', 'page_size in query should be less than or equal to 100')
    const page = numberOf(query, 'page', 1)
    await turnTo(listing, page)
    const whole = all()
    const { items, more } = listedPage(whole, page, size, options.endless)
    const to = (number: number, rel: string) => {
      const next = new URLSearchParams(query)
      next.set('page', String(number))
      next.set('page_size', String(size))
      // A path without origin, its query not encoded.
      return `<${options.linkOrigin ?? ''}${new URL(path, origin).pathname}?${decodeURIComponent(next.toString())}>; rel="${rel}"`
    }
    const links = [...(page > 1 ? [to(page - 1, 'prev')] : []), ...(more ? [to(page + 1, 'next')] : [])]
    sendJson(exchange, items, {
      'x-total-count': whole.length,
      // A proxy in front may lose it.
      ...(links.length > 0 && !options.losesLink ? { link: links.join(' , ') } : {}),
    })
  }

  const isVisible = (name: string, account: string | undefined) =>
    account !== undefined || projects.all.get(name)?.public === true

  const project = (name: string) => ({
    project_id: projects.idOf.project(name),
    name,
    repo_count: projects.repositories(name).length,
    // Of a proxy cache only.
    ...(projects.all.get(name)?.proxyCache ? { registry_id: 1 } : {}),
    metadata: { public: String(projects.all.get(name)?.public ?? false) },
  })

  const repository = (name: string) => {
    const times = files.manifests(name).map(({ since }) => since.getTime())
    return {
      id: projects.idOf.repository(name),
      project_id: projects.idOf.project(projects.split(name)[0]),
      // With the project.
      name,
      artifact_count: times.length,
      pull_count: 0,
      creation_time: new Date(Math.min(...times)).toISOString(),
      update_time: new Date(Math.max(...times)).toISOString(),
    }
  }

  const newestFirst = (names: readonly string[]) =>
    names.map(repository).toSorted((a, b) => (a.creation_time > b.creation_time ? -1 : 1))

  const openProject = (name: string, account: string | undefined) => {
    if (isVisible(name, account) && projects.all.has(name)) return
    // Who is not logged in learns nothing about what there is.
    if (account === undefined) throw refusal(401, 'UNAUTHORIZED', 'unauthorized')
    throw refusal(404, 'NOT_FOUND', `project ${name} not found`)
  }

  const artifacts = (exchange: Exchange, name: string, account: string | undefined, encoded: string) => {
    openProject(name, account)
    // The router decodes once, the handler once more: a slash below the project has to be encoded twice.
    const full = `${name}/${decodeURIComponent(encoded)}`
    if (!files.has(full)) throw refusal(404, 'NOT_FOUND', `repository ${full} not found`)
    const { query } = exchange
    const tags = /^tags=(.+)$/.exec(query.get('q') ?? '')?.[1]
    const flag = (what: string) => query.get(`with_${what}`) ?? String(what === 'tag')
    return list(exchange, full, () =>
      harborArtifacts(base, projects, full, { tags, with: (what) => flag(what) === 'true' }),
    )
  }

  return async (exchange) => {
    // A proxy that decodes paths makes one encoding of two.
    const received = options.decodesPaths ? decodeURIComponent(exchange.path) : exchange.path
    const path = decodeURIComponent(received)
    // Open to all; the version is shown to those who are logged in.
    if (path === '/api/v2.0/systeminfo') {
      const version = basicAccount(exchange, accounts) ? { harbor_version: 'v2.14.0' } : {}
      return sendJson(exchange, { auth_mode: 'db_auth', ...version })
    }
    const account = accountOf(exchange)
    if (path === '/api/v2.0/projects') {
      return list(exchange, 'projects', () =>
        [...projects.all.keys()]
          .filter((name) => isVisible(name, account))
          .toSorted()
          .map(project),
      )
    }
    if (path === '/api/v2.0/repositories') {
      return list(exchange, 'repositories', () =>
        newestFirst(projects.repositories().filter((name) => isVisible(projects.split(name)[0], account))),
      )
    }
    const [, name = '', rest = ''] = /^\/api\/v2\.0\/projects\/([^/]+)\/repositories(.*)$/.exec(path) ?? []
    if (name !== '' && rest === '') {
      openProject(name, account)
      return list(exchange, name, () => newestFirst(projects.repositories(name)))
    }
    const encoded = /^\/([^/]+)\/artifacts$/.exec(rest)?.[1]
    if (encoded !== undefined) return artifacts(exchange, name, account, encoded)
    throw refusal(404, 'NOT_FOUND', `path ${path} was not found`)
  }
}
