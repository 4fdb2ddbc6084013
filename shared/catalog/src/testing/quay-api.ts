import type { Exchange, FakeBase } from './fake-server.ts'
import { listedPage, numberOf } from './listed-page.ts'
import type { QuayBook, QuayTag } from './quay-book.ts'
import { seal, unseal } from './quay-lists.ts'
import { Refused, sendJson } from './reply.ts'
import { storedImage } from './stored-image.ts'

const REPOSITORIES_PAGE = 100
const TAGS_PAGE = 50
const MAX_TAGS_PAGE = 100

/** Quay's REST API v1. */
export function quayApi(
  base: FakeBase,
  book: QuayBook,
  apiToken: string,
  pageSize = REPOSITORIES_PAGE,
): (exchange: Exchange) => Promise<void> {
  const { files, turnTo } = base

  const problem = (exchange: Exchange, status: number, type: string, detail: string) =>
    new Refused(status, {
      detail,
      error_message: detail,
      error_type: type,
      title: type,
      type: `${exchange.origin}/api/v1/error/${type}`,
      status,
    })

  /** True for the OAuth token, false for nobody. Accounts of the registry, robots among them, are not known here. */
  const isKnown = (exchange: Exchange): boolean => {
    const { authorization } = exchange.request.headers
    if (authorization === undefined) return false
    if (authorization === `Bearer ${apiToken}`) return true
    throw problem(exchange, 401, 'invalid_token', 'Requires authentication')
  }

  const repository = (name: string, { query }: Exchange, known: boolean) => {
    const [namespace = '', ...rest] = name.split('/')
    const alive = query.get('last_modified') === 'true' ? book.alive(name) : []
    const newest = alive.map(({ since }) => seconds(since)).toSorted((a, b) => b - a)[0]
    const quota = book.quotas.get(namespace)
    return {
      namespace,
      // With slashes, as it is.
      name: rest.join('/'),
      description: book.descriptions.get(name) ?? null,
      is_public: book.isPublic.has(name),
      kind: 'image',
      state: book.states.get(name) ?? 'NORMAL',
      // Of living tags only: it can go back when one is deleted. Null without tags.
      ...(query.get('last_modified') === 'true' ? { last_modified: newest ?? null } : {}),
      ...(query.get('popularity') === 'true' ? { popularity: 0 } : {}),
      ...(known ? { is_starred: false } : {}),
      ...(quota === undefined
        ? {}
        : { quota_report: { quota_bytes: book.used(namespace), configured_quota: quota } }),
    }
  }

  const listRepositories = async (exchange: Exchange) => {
    const known = isKnown(exchange)
    const { query } = exchange
    const isSet = (key: string) => ['true', '1', 'yes'].includes(query.get(key) ?? '')
    const namespace = query.get('namespace')
    if (!namespace && !isSet('public') && !isSet('starred'))
      throw problem(
        exchange,
        400,
        'invalid_request',
        'namespace, starred or public are required for this API call',
      )
    if (isSet('starred') && !known) throw problem(exchange, 400, 'invalid_request', 'not logged in')
    const after = unseal(query.get('next_page'))
    await turnTo('repositories', after === undefined ? 1 : 2)
    const visible = book
      .repositories()
      .filter((name) => name.includes('/') && (namespace ? name.startsWith(`${namespace}/`) : true))
      .filter((name) => !isSet('starred') && (book.isPublic.has(name) || (known && Boolean(namespace))))
    const rest = visible.filter((name) => after === undefined || name > after)
    const shown = rest.slice(0, pageSize)
    const isLast = rest.length <= pageSize
    // An encrypted token; no key at all behind the last page.
    const next = isLast ? (base.options.endless ? seal('') : undefined) : seal(shown.at(-1)!)
    sendJson(exchange, {
      repositories: shown.map((name) => repository(name, exchange, known)),
      ...(next === undefined ? {} : { next_page: next }),
    })
  }

  const tag = (name: string, { until, immutable, ...each }: QuayTag) => {
    const image = storedImage(files, each.digest)
    const present = new Set(image.isList ? files.manifests(name).map(({ digest }) => digest) : [])
    const children = image.json.manifests ?? []
    const there = children.filter(({ digest }) => present.has(digest))
    return {
      name: each.name,
      reversion: false,
      immutable,
      start_ts: seconds(each.since),
      ...(until ? { end_ts: seconds(until) } : {}),
      manifest_digest: each.digest,
      is_manifest_list: image.isList,
      // Null for a list.
      size: image.layersSize,
      last_modified: rfc2822(each.since),
      ...(until ? { expiration: rfc2822(until) } : {}),
      ...(image.isList
        ? {
            is_sparse: there.length < children.length,
            child_manifest_count: children.length,
            present_child_count: there.length,
            child_manifests_presence: Object.fromEntries(
              children.map(({ digest }) => [digest, present.has(digest)]),
            ),
          }
        : {}),
    }
  }

  const listTags = async (exchange: Exchange, name: string) => {
    const { query } = exchange
    const known = isKnown(exchange)
    if (!book.has(name)) throw problem(exchange, 404, 'not_found', 'Not Found')
    if (!known && !book.isPublic.has(name))
      throw problem(exchange, 401, 'invalid_token', 'Requires authentication')
    const page = numberOf(query, 'page', 1)
    // A limit above the cap is cut down, not refused.
    const limit = numberOf(query, 'limit', TAGS_PAGE, MAX_TAGS_PAGE)
    const wanted = filterOf(exchange)
    await turnTo(name, page)
    // Newest first, so that what is pushed meanwhile shifts all that follows. History comes along unless it is declined.
    const active = ['true', '1'].includes(query.get('onlyActiveTags') ?? '')
    const all = [...book.alive(name), ...(active ? [] : book.dead(name))]
      .filter((each) => wanted(each.name))
      .toSorted((a, b) => b.since.getTime() - a.since.getTime() || (a.name < b.name ? -1 : 1))
    const { items, more } = listedPage(all, page, limit, base.options.endless)
    sendJson(exchange, { tags: items.map((each) => tag(name, each)), page, has_additional: more })
  }

  const filterOf = (exchange: Exchange): ((name: string) => boolean) => {
    const specific = exchange.query.get('specificTag')
    if (specific) return (name) => name === specific
    const filter = exchange.query.get('filter_tag_name')
    if (!filter) return () => true
    const [, operation, value = ''] = /^([^:]*):(.*)$/.exec(filter) ?? []
    if (operation === 'like') return (name) => name.includes(value)
    if (operation === 'eq') return (name) => name === value
    throw problem(exchange, 400, 'invalid_request', 'Unsupported syntax for filter_tag_name')
  }

  return async (exchange) => {
    const { path, method } = exchange
    if (method !== 'GET') throw problem(exchange, 405, 'invalid_request', 'Method Not Allowed')
    if (path === '/api/v1/repository') return listRepositories(exchange)
    // The name is not encoded: its slashes are slashes of the path.
    const name = /^\/api\/v1\/repository\/(.+\/.+)\/tag\/$/.exec(path)?.[1]
    if (name !== undefined) return listTags(exchange, name)
    throw problem(exchange, 404, 'not_found', 'Not Found')
  }
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}

/** `Sun, 06 Nov 1994 08:49:37 -0000` */
function rfc2822(time: Date): string {
  return time.toUTCString().replace('GMT', '-0000')
}
