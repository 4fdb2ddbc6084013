import { CarryallError } from '@carryall/errors'
import { ownUrl } from '@carryall/oci'
import { hubRepositoriesSchema, hubTagsSchema } from '@carryall/schemas'
import type { ApiClient, ApiAnswer, Schema } from './api-client.ts'
import type { Catalog, CatalogPorts } from './catalog.ts'
import { listedImage } from './listed-image.ts'
import { repositoryName } from './repository-name.ts'
import { settledPages } from './settled-pages.ts'

const PAGE = 100

interface HubPage<T> {
  readonly next?: string | null | undefined
  readonly results: readonly T[]
}

/** Docker Hub's web API. Images without a namespace are those of `library`; a name of two components is one repository. */
export function hubCatalog(api: ApiClient, namespace: string, { registry }: CatalogPorts): Catalog {
  const pages = <T>(
    path: string,
    schema: Schema<HubPage<T>>,
    { what, key, signal }: { what: string; key: (item: T) => string; signal: AbortSignal | undefined },
  ): AsyncGenerator<T> =>
    settledPages({
      what: `${what} at ${registry}`,
      first: new URL(`/v2/repositories/${path}/?page_size=${PAGE}`, api.base),
      key,
      read: async (url) => {
        const found: ApiAnswer<HubPage<T>> | undefined = await api.get(url, schema, {
          action: `list ${what}`,
          signal,
        })
        if (found === undefined) return undefined
        const { body, answer } = found
        return { items: body.results, next: body.next ? ownUrl(body.next, answer, 'next page') : undefined }
      },
    })

  return {
    registry,
    api: 'hub',
    complete: () => true,
    async *repositories(signal) {
      if (namespace === '') throw unbounded(registry)
      if (namespace.includes('/')) return yield { name: namespace }
      const found = pages(namespace, hubRepositoriesSchema, {
        what: `the repositories of ${namespace}`,
        key: ({ name }) => name,
        signal,
      })
      for await (const { name } of found) yield { name: repositoryName(registry, `${namespace}/${name}`) }
    },
    async *images(repository, signal) {
      const path = repository.includes('/') ? repository : `library/${repository}`
      const tags = pages(`${path}/tags`, hubTagsSchema, {
        what: `the tags of ${repository}`,
        key: ({ name }) => name,
        signal,
      })
      for await (const { name: tag, digest, media_type: mediaType, full_size: size, ...times } of tags) {
        const created = times.tag_last_pushed ?? times.last_updated
        yield listedImage({ registry, repository, tag, digest, mediaType, size, created })
      }
    },
  }
}

function unbounded(registry: string): CarryallError {
  return new CarryallError('API_UNSUPPORTED', `${registry} does not list all its repositories`, {
    subject: { kind: 'host', name: registry },
    hint: `Name a namespace, as in docker://${registry}/library`,
  })
}
