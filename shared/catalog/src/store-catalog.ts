import { isCarryallError } from '@carryall/errors'
import type { Catalog, CatalogPorts } from './catalog.ts'
import { listedImage } from './listed-image.ts'
import { within } from './namespace.ts'

/**
 * What a store itself tells. A layout gives digests along with its tags; a registry does not. Where a registry has no catalog
 * for us, and the namespace is the name of a repository with tags, that one is listed: it may not be all, so `complete` is
 * false then.
 */
export function storeCatalog(
  api: 'distribution' | 'layout' | 'list',
  namespace: string,
  { store, registry }: CatalogPorts,
): Catalog {
  let complete = true

  const hasTags = async (repository: string, signal: AbortSignal | undefined) => {
    for await (const _ of store.tags(repository, signal)) return true
    return false
  }

  return {
    registry,
    api,
    complete: () => complete,
    async *repositories(signal) {
      let isListed = false
      try {
        for await (const name of store.repositories(signal)) {
          isListed = true
          if (within(namespace, name)) yield { name }
        }
      } catch (error) {
        const isRefused = isCarryallError(error, 'REG_REFUSED', 'AUTH_DENIED', 'AUTH_REQUIRED')
        if (isListed || namespace === '' || !isRefused) throw error
        if (!(await hasTags(namespace, signal).catch(() => false))) throw error
        complete = false
        yield { name: namespace }
      }
    },
    async *images(repository, signal) {
      for await (const tag of store.tags(repository, signal)) {
        const found = api === 'layout' ? await store.head(repository, tag, signal) : undefined
        yield listedImage({ registry, repository, tag, digest: found?.digest, mediaType: found?.mediaType })
      }
    },
  }
}
