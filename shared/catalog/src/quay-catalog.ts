import { quayRepositoriesSchema, quayTagsSchema } from '@carryall/schemas'
import type { ApiClient } from './api-client.ts'
import type { Catalog, CatalogPorts } from './catalog.ts'
import { listedImage } from './listed-image.ts'
import { within } from './namespace.ts'
import { repositoryName } from './repository-name.ts'
import { settledPages } from './settled-pages.ts'

const TAGS_PAGE = 100

/** Quay's API v1. It lists by namespace only: without one the registry's own catalog tells the names. */
export function quayCatalog(api: ApiClient, namespace: string, { store, registry }: CatalogPorts): Catalog {
  async function* listed(signal: AbortSignal | undefined) {
    const first = new URL('/api/v1/repository', api.base)
    first.searchParams.set('namespace', namespace.split('/')[0]!)
    first.searchParams.set('last_modified', 'true')
    const pages = settledPages({
      what: `the repositories of ${namespace} at ${registry}`,
      first,
      steady: true,
      read: async (url) => {
        const action = `list the repositories of ${namespace}`
        const found = await api.get(url, quayRepositoriesSchema, { action, signal })
        if (found === undefined) return undefined
        const { repositories, next_page: cursor } = found.body
        const next = new URL(first)
        if (cursor) next.searchParams.set('next_page', cursor)
        return { items: repositories, next: cursor ? next : undefined }
      },
      key: ({ namespace: top, name }) => `${top}/${name}`,
    })
    for await (const { namespace: top, name: rest, kind, state, last_modified: changed } of pages) {
      const name = repositoryName(registry, `${top}/${rest}`)
      const isImages = (kind ?? 'image') === 'image' && state !== 'MARKED_FOR_DELETION'
      if (!isImages || !within(namespace, name)) continue
      yield { name, ...(typeof changed === 'number' ? { changed: new Date(changed * 1000) } : {}) }
    }
  }

  async function* catalogued(signal: AbortSignal | undefined) {
    for await (const name of store.repositories(signal)) yield { name }
  }

  return {
    registry,
    api: 'quay',
    // The registry's own catalog tells what is visible to us: for nobody that may be an empty list.
    complete: () => namespace !== '',
    repositories: (signal) => (namespace === '' ? catalogued(signal) : listed(signal)),
    async *images(repository, signal) {
      const page = (number: number) =>
        new URL(
          `/api/v1/repository/${repository}/tag/?onlyActiveTags=true&limit=${TAGS_PAGE}&page=${number}`,
          api.base,
        )
      const tags = settledPages({
        what: `the tags of ${repository} at ${registry}`,
        first: page(1),
        read: async (url) => {
          const found = await api.get(url, quayTagsSchema, {
            action: `list the tags of ${repository}`,
            signal,
          })
          if (found === undefined) return undefined
          const { tags: items, has_additional: more } = found.body
          return { items, next: more ? page(Number(url.searchParams.get('page')) + 1) : undefined }
        },
        key: ({ name }) => name,
      })
      for await (const { name: tag, manifest_digest: digest, size, start_ts, last_modified } of tags)
        yield listedImage({ registry, repository, tag, digest, size, created: start_ts ?? last_modified })
    },
  }
}
