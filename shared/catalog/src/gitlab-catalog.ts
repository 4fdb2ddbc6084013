import { nextLink, ownUrl } from '@carryall/oci'
import { gitlabProjectsSchema, gitlabRepositoriesSchema, gitlabTagsSchema } from '@carryall/schemas'
import type { ApiClient, Schema } from './api-client.ts'
import type { Catalog, CatalogPorts } from './catalog.ts'
import { listedImage } from './listed-image.ts'
import { within } from './namespace.ts'
import { type PagedList, settledPages } from './settled-pages.ts'

const PAGE = 100
// GitLab searches for shorter words in another way.
const MIN_SEARCH = 3

/** GitLab's API v4: the registry repositories of all projects that it shows us. It gives no digests. */
export function gitlabCatalog(api: ApiClient, namespace: string, { registry }: CatalogPorts): Catalog {
  const places = new Map<string, string>()
  let walk: Promise<unknown> | undefined

  const pages = <T>(
    path: string,
    schema: Schema<readonly T[]>,
    {
      what,
      signal,
      ...list
    }: Pick<PagedList<T>, 'what' | 'key'> & {
      readonly signal: AbortSignal | undefined
      readonly absent?: readonly number[]
    },
  ): AsyncGenerator<T> =>
    settledPages({
      what: `${what} at ${api.base.host}`,
      first: new URL(`/api/v4/${path}`, api.base),
      key: list.key,
      read: async (url) => {
        const options = { action: `list ${what}`, signal, ...(list.absent ? { absent: list.absent } : {}) }
        const found = await api.get(url, schema, options)
        if (found === undefined) return undefined
        const { body: items, answer } = found
        const link = nextLink(answer.headers('link'))
        const number = answer.header('x-next-page')
        if (link !== undefined) return { items, next: ownUrl(link, answer, 'next page') }
        const next = new URL(url)
        next.searchParams.set('page', number ?? '')
        return { items, next: number ? next : undefined }
      },
    })

  async function* repositories(signal?: AbortSignal) {
    const [top = ''] = namespace.split('/')
    const search = top.length < MIN_SEARCH ? '' : `&search=${encodeURIComponent(top)}&search_namespaces=true`
    const projects = pages(
      `projects?order_by=id&sort=asc&pagination=keyset&per_page=${PAGE}${search}`,
      gitlabProjectsSchema,
      { what: 'the projects', key: ({ id }) => String(id), signal },
    )
    for await (const { id, path_with_namespace, container_registry_access_level: level } of projects) {
      const path = path_with_namespace.toLowerCase()
      if (level === 'disabled' || !(within(namespace, path) || within(path, namespace))) continue
      const found = pages(`projects/${id}/registry/repositories?per_page=${PAGE}`, gitlabRepositoriesSchema, {
        what: `the repositories of ${path}`,
        key: ({ path: name }) => name,
        signal,
        // Projects whose registry is closed to us, or to all.
        absent: [403, 404],
      })
      for await (const { id: place, path: name } of found) {
        if (!within(namespace, name)) continue
        places.set(name, `projects/${id}/registry/repositories/${place}`)
        yield { name }
      }
    }
  }

  const placeOf = async (repository: string) => {
    if (places.has(repository)) return places.get(repository)
    walk ??= Array.fromAsync(repositories()).catch((error: unknown) => {
      walk = undefined
      throw error
    })
    await walk
    return places.get(repository)
  }

  return {
    registry,
    api: 'gitlab',
    complete: () => true,
    repositories,
    async *images(repository, signal) {
      const place = await placeOf(repository)
      if (place === undefined) return
      const tags = pages(`${place}/tags?per_page=${PAGE}`, gitlabTagsSchema, {
        what: `the tags of ${repository}`,
        key: ({ name }) => name,
        signal,
      })
      for await (const { name: tag } of tags) yield listedImage({ registry, repository, tag })
    },
  }
}
