import { nextLink, ownUrl } from '@carryall/oci'
import { harborArtifactsSchema, harborRepositoriesSchema } from '@carryall/schemas'
import type { ApiClient, Schema } from './api-client.ts'
import type { Catalog, CatalogPorts } from './catalog.ts'
import { listedImage } from './listed-image.ts'
import { within } from './namespace.ts'
import { type Page, settledPages } from './settled-pages.ts'
import { storeCatalog } from './store-catalog.ts'

const PAGE = 100

/** Harbor's API v2.0. Accessories, such as signatures, and artifacts without a tag are not listed. */
export function harborCatalog(api: ApiClient, namespace: string, ports: CatalogPorts): Catalog {
  const { registry } = ports
  const own = storeCatalog('distribution', namespace, ports)

  const reader =
    <T>(schema: Schema<readonly T[]>, action: string, signal: AbortSignal | undefined) =>
    async (url: URL): Promise<Page<T> | undefined> => {
      const found = await api.get(url, schema, { action, signal })
      if (found === undefined) return undefined
      const { body: items, answer } = found
      const count = answer.header('x-total-count')
      const link = nextLink(answer.headers('link'))
      return {
        items,
        next: link === undefined ? nextPage(url, items.length) : ownUrl(link, answer, 'next page'),
        ...(count !== undefined && /^\d+$/.test(count) ? { total: Number(count) } : {}),
      }
    }

  return {
    registry,
    api: 'harbor',
    hidesAttached: true,
    complete: () => true,
    async *repositories(signal) {
      const [project = ''] = namespace.split('/')
      const path = project === '' ? 'repositories' : `projects/${encodeURIComponent(project)}/repositories`
      const what = `the repositories of ${namespace || 'all projects'}`
      const read = reader(harborRepositoriesSchema, `list ${what}`, signal)
      const found = settledPages({
        what: `${what} at ${registry}`,
        first: new URL(`/api/v2.0/${path}?page=1&page_size=${PAGE}`, api.base),
        read,
        key: ({ name }) => name,
      })
      for await (const { name } of found) if (within(namespace, name)) yield { name }
    },
    async *images(repository, signal) {
      const slash = repository.indexOf('/')
      const [project, name] = [repository.slice(0, Math.max(slash, 0)), repository.slice(slash + 1)]
      // Twice, as Harbor wants it for the slashes in it.
      const path = `projects/${encodeURIComponent(project)}/repositories/${encodeURIComponent(encodeURIComponent(name))}`
      let isThere = true
      const read = reader(harborArtifactsSchema, `list the tags of ${repository}`, signal)
      const artifacts = settledPages({
        what: `the artifacts of ${repository} at ${registry}`,
        first: new URL(
          `/api/v2.0/${path}/artifacts?with_tag=true&q=tags%3D*&page=1&page_size=${PAGE}`,
          api.base,
        ),
        read: async (url) => {
          const page = await read(url)
          isThere = page !== undefined
          return page
        },
        key: ({ digest }) => digest,
      })
      const seen = new Set<string>()
      for await (const { digest, size, manifest_media_type: mediaType, push_time, tags } of artifacts) {
        for (const { name: tag, push_time: pushed } of tags ?? []) {
          if (seen.has(tag)) continue
          seen.add(tag)
          yield listedImage({
            registry,
            repository,
            tag,
            digest,
            mediaType,
            size,
            created: pushed ?? push_time,
          })
        }
      }
      // Behind a proxy that decodes paths the API does not find what has a slash in its name; the registry does.
      if (!isThere) yield* own.images(repository, signal)
    },
  }
}

function nextPage(url: URL, length: number): URL | undefined {
  if (length < PAGE) return undefined
  const next = new URL(url)
  next.searchParams.set('page', String(Number(url.searchParams.get('page')) + 1))
  return next
}
