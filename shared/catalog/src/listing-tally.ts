import { createHash } from 'node:crypto'
import type { Listing } from '@carryall/schemas'
import type { ListedImage } from './catalog.ts'

/** What a list came to, but for its head. */
export type ListingFacts = Omit<Listing, 'apiVersion' | 'kind'>

/** Counts and hashes the images of a list while they pass. */
export function listingTally(): {
  add(image: ListedImage): void
  facts(): Pick<ListingFacts, 'repositories' | 'images' | 'list_digest'>
} {
  const repositories = new Set<string>()
  const hash = createHash('sha256')
  let images = 0
  return {
    add({ repository, tag, digest }) {
      repositories.add(repository)
      images += 1
      hash.update(
        `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}\n`,
      )
    },
    facts: () => ({
      repositories: repositories.size,
      images,
      list_digest: `sha256:${hash.copy().digest('hex')}`,
    }),
  }
}
