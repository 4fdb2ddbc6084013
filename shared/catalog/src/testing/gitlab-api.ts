import type { Exchange, FakeBase } from './fake-server.ts'
import type { GitlabOptions } from './gitlab.ts'
import { listedPage, numberOf } from './listed-page.ts'
import { numbering } from './numbering.ts'
import { Refused, sendJson } from './reply.ts'
import { storedImage } from './stored-image.ts'

const PAGE = 20
const MAX_PAGE = 100

/** GitLab's REST API v4, as far as it tells of registries. */
export function gitlabApi(
  base: FakeBase,
  apiToken: string,
  options: GitlabOptions,
): (exchange: Exchange) => Promise<void> {
  const { files, turnTo } = base

  const projects = (): readonly string[] =>
    options.projects ?? [
      ...new Set(files.repositories().map((name) => name.split('/').slice(0, 2).join('/'))),
    ]
  const projectOf = (repository: string) =>
    projects().find((path) => repository === path || repository.startsWith(`${path}/`))

  const idOf = numbering(100)

  const notFound = (what: string) => new Refused(404, { message: `404 ${what} Not Found` })

  const list = async (exchange: Exchange, listing: string, all: () => readonly object[]) => {
    const { query, origin, path } = exchange
    const size = numberOf(query, 'per_page', PAGE, MAX_PAGE)
    const page = numberOf(query, 'page', 1)
    await turnTo(listing, page)
    const whole = all()
    const { items, more } = listedPage(whole, page, size, options.endless)
    const next = new URLSearchParams(query)
    next.set('page', String(page + 1))
    next.set('per_page', String(size))
    sendJson(exchange, items, {
      // Empty, not absent, on the last page.
      'x-next-page': more ? String(page + 1) : '',
      'x-page': page,
      'x-per-page': size,
      'x-prev-page': page > 1 ? String(page - 1) : '',
      ...(options.hidesTotals
        ? {}
        : { 'x-total': whole.length, 'x-total-pages': Math.max(Math.ceil(whole.length / size), 1) }),
      ...(more ? { link: `<${options.linkOrigin ?? origin}${path}?${next.toString()}>; rel="next"` } : {}),
    })
  }

  const project = (path: string) => ({
    id: idOf(path),
    name: path.split('/').at(-1),
    path_with_namespace: path,
    container_registry_enabled: true,
  })

  const repository = ({ origin, query }: Exchange, name: string) => {
    const path = projectOf(name)!
    return {
      id: idOf(`repository ${name}`),
      // What follows the project's path; empty for the project's own.
      name: name.slice(path.length + 1),
      path: name,
      project_id: idOf(path),
      location: `${new URL(origin).host}/${name}`,
      created_at: new Date(
        Math.min(...files.manifests(name).map(({ since }) => since.getTime())),
      ).toISOString(),
      cleanup_policy_started_at: null,
      ...(query.get('tags_count') === 'true' ? { tags_count: files.tags(name).length } : {}),
    }
  }

  const tag = ({ origin }: Exchange, repositoryName: string, name: string) => ({
    name,
    path: `${repositoryName}:${name}`,
    location: `${new URL(origin).host}/${repositoryName}:${name}`,
  })

  const tagDetail = (exchange: Exchange, repositoryName: string, name: string) => {
    const found = files.tags(repositoryName).find((each) => each.name === name)
    if (found === undefined) throw notFound('Tag')
    const { json, layersSize, config } = storedImage(files, found.digest)
    const revision = json.config?.digest.slice('sha256:'.length) ?? null
    return {
      ...tag(exchange, repositoryName, name),
      // Of the config, which an index has not.
      revision,
      short_revision: revision?.slice(0, 9) ?? null,
      digest: found.digest,
      created_at: config()?.created ?? null,
      total_size: layersSize,
    }
  }

  const repositoriesBelow = (path: string) => files.repositories().filter((name) => projectOf(name) === path)

  const inProject = async (exchange: Exchange, id: string, rest: readonly string[]): Promise<void> => {
    // A number, or the path with its slashes encoded.
    const path = projects().find((each) => each === decodeURIComponent(id) || String(idOf(each)) === id)
    if (path === undefined) throw notFound('Project')
    const [repositoryId, kind, name] = rest
    if (repositoryId === undefined) {
      return list(exchange, path, () => repositoriesBelow(path).map((each) => repository(exchange, each)))
    }
    const found = repositoriesBelow(path).find((each) => String(idOf(`repository ${each}`)) === repositoryId)
    if (found === undefined || kind !== 'tags') throw notFound('Repository')
    if (name !== undefined) return sendJson(exchange, tagDetail(exchange, found, decodeURIComponent(name)))
    // Names only: a digest costs a request of its own for each tag.
    return list(exchange, found, () => files.tags(found).map((each) => tag(exchange, found, each.name)))
  }

  return async (exchange) => {
    if (exchange.request.headers['private-token'] !== apiToken)
      throw new Refused(401, { message: '401 Unauthorized' })
    const parts = exchange.path.slice('/api/v4/'.length).split('/')
    const [kind, id, registry, repositories, ...rest] = parts
    if (kind === 'version') return sendJson(exchange, { version: '18.4.0', revision: 'test' })
    if (kind === 'projects' && id === undefined)
      return list(exchange, 'projects', () => projects().map(project))
    if (id === undefined || registry !== 'registry' || repositories !== 'repositories') throw notFound('API')
    if (kind === 'projects') return inProject(exchange, id, rest)
    if (kind !== 'groups' || rest.length > 0) throw notFound('API')
    const below = `${decodeURIComponent(id)}/`
    return list(exchange, below, () =>
      files
        .repositories()
        .filter((name) => name.startsWith(below) && projectOf(name))
        .map((name) => repository(exchange, name)),
    )
  }
}
