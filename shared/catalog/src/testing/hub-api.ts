import { json } from 'node:stream/consumers'
import type { Exchange, FakeBase } from './fake-server.ts'
import type { HubOptions } from './hub.ts'
import { listedPage, numberOf } from './listed-page.ts'
import { Refused, sendJson } from './reply.ts'
import type { StoredTag } from './registry-files.ts'
import { storedImage } from './stored-image.ts'
import type { TokenDoor } from './token-door.ts'

const PAGE = 10
const MAX_PAGE = 100

/** Docker Hub's web API. */
export function hubApi(
  base: FakeBase,
  door: TokenDoor,
  user: { readonly username: string; readonly password: string },
  isPrivate: (repository: string) => boolean,
  options: HubOptions,
): (exchange: Exchange) => Promise<void> {
  const { files, turnTo } = base
  let left = options.apiRequests ?? Infinity

  const login = async (exchange: Exchange) => {
    const sent = (await json(exchange.request)) as Readonly<Record<string, unknown>> | null
    // The older form has other names in both directions.
    const isOld = exchange.path === '/v2/users/login'
    const [name, secret] = isOld ? [sent?.username, sent?.password] : [sent?.identifier, sent?.secret]
    if (name !== user.username || secret !== user.password)
      throw new Refused(401, { detail: 'Incorrect authentication credentials' })
    const token = door.issue({ account: user.username, access: [] })
    sendJson(exchange, isOld ? { token } : { access_token: token })
  }

  const list = async (exchange: Exchange, listing: string, all: () => readonly object[]) => {
    const { query, origin, path } = exchange
    const page = numberOf(query, 'page', 1)
    const size = numberOf(query, 'page_size', PAGE, MAX_PAGE)
    await turnTo(listing, page)
    const whole = all()
    const { items, more } = listedPage(whole, page, size, options.endless)
    // Behind the last page is nothing, not an empty page.
    if (items.length === 0 && page > 1) throw new Refused(404, { message: 'object not found', errinfo: {} })
    const to = (number: number) => `${options.linkOrigin ?? origin}${path}?page=${number}&page_size=${size}`
    sendJson(exchange, {
      count: whole.length,
      next: more ? to(page + 1) : null,
      previous: page > 1 ? to(page - 1) : null,
      results: items,
    })
  }

  const repository = (full: string) => {
    const [namespace = '', name = ''] = full.split('/')
    const times = files.manifests(full).map(({ since }) => since.getTime())
    return {
      name,
      namespace,
      repository_type: 'image',
      status: 1,
      is_private: isPrivate(full),
      star_count: 0,
      pull_count: 0,
      last_updated: new Date(Math.max(...times)).toISOString(),
      date_registered: new Date(Math.min(...times)).toISOString(),
    }
  }

  const tag = ({ name, digest, since }: StoredTag) => {
    const { json: manifest, layersSize, mediaType } = storedImage(files, digest)
    const images = manifest.manifests ?? [{ digest, size: layersSize ?? 0, platform: undefined }]
    return {
      name,
      full_size: layersSize ?? 0,
      last_updated: since.toISOString(),
      tag_last_pushed: since.toISOString(),
      tag_status: 'active',
      // Of old tags there is none.
      ...(options.hidesDigests ? {} : { digest }),
      media_type: mediaType,
      content_type: 'image',
      images: images.map((image) => ({
        architecture: image.platform?.architecture ?? 'amd64',
        os: image.platform?.os ?? 'linux',
        digest: image.digest,
        size: image.size,
        status: 'active',
      })),
    }
  }

  const refuseTooMany = () => {
    if (left-- > 0) return
    left = Infinity
    throw new Refused(
      429,
      { detail: 'Rate limit exceeded', error: false },
      { 'retry-after': '1', 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '0' },
    )
  }

  return async (exchange) => {
    refuseTooMany()
    const { path } = exchange
    if (exchange.method === 'POST') return login(exchange)
    const { authorization } = exchange.request.headers
    const known = door.grantOf(exchange)?.account !== undefined
    if (authorization !== undefined && !known) throw new Refused(401, { detail: 'Invalid token' })
    const isVisible = (full: string) => known || !isPrivate(full)
    const [, namespace = '', name] = /^\/v2\/repositories\/([^/]+)\/(?:([^/]+)\/tags\/?)?$/.exec(path) ?? []
    if (namespace === '') throw new Refused(404, { message: 'object not found', errinfo: {} })
    const full = `${namespace}/${name}`
    if (name !== undefined) {
      // What may not be seen is not there.
      if (!files.has(full) || !isVisible(full))
        throw new Refused(404, { message: 'object not found', errinfo: {} })
      return list(exchange, full, () =>
        files
          .tags(full)
          .toSorted((a, b) => b.since.getTime() - a.since.getTime())
          .map(tag),
      )
    }
    return list(exchange, namespace, () =>
      files
        .repositories()
        .filter((each) => each.startsWith(`${namespace}/`) && isVisible(each))
        .map(repository),
    )
  }
}
