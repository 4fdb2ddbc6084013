import { CarryallError } from '@carryall/errors'
import type { Source } from '@carryall/oci'
import type { Catalog, ListedImage } from './catalog.ts'
import { compileSelection } from './compile-selection.ts'
import { failures, type Unread } from './failures.ts'
import { imageName, type ImageName } from './image-name.ts'
import { concatenated, inOrder } from './in-order.ts'
import { listedImage } from './listed-image.ts'
import { type ListingFacts, listingTally } from './listing-tally.ts'
import { below } from './namespace.ts'
import { selectImages } from './select.ts'
import type { Selection } from './selection.ts'

export interface ListOptions {
  readonly selection?: Selection | undefined
  /** `repository`, `repository:tag` or `repository@digest` below the namespace, in place of discovery. */
  readonly names?: readonly string[] | undefined
  /** Asks for each digest that the API does not give; those of `names` are always asked for. */
  readonly digests: boolean
  /** Repositories that are read ahead, and digests that are asked for, at once at most. */
  readonly parallel: number
  readonly now: Date
  readonly signal: AbortSignal
  /** Takes what cannot be read, so that the rest is listed; without it the first failure is thrown. */
  readonly onFailure?: (image: Unread, error: unknown) => void
}

/** A list under way. */
export interface ImageList {
  /** To be iterated once. Throws API_*, REG_*, AUTH_*, NET_*, and REG_GIVEN_UP where nothing answers any more. */
  readonly images: AsyncIterable<ListedImage>
  /** What the list came to; `complete` is false before the iteration is over, and where something could not be read. */
  listing(): ListingFacts
}

/**
 * Lists what a catalog has below `namespace`, repository by repository in its order. A tag that vanishes before its digest
 * was asked for is not in the list; what an explicit list names and is not there is a failure, REG_MANIFEST_UNKNOWN. Memory
 * grows by the names of one repository at a time. Throws CONFIG_INVALID for a selection that makes no sense, and REFERENCE_INVALID.
 */
export function listImages(
  catalog: Catalog,
  store: Source,
  namespace: string,
  { selection = {}, names, digests, parallel, now, signal, onFailure }: ListOptions,
): ImageList {
  const { registry } = catalog
  const selected = compileSelection(selection, now)
  const named = names && byRepository(names, namespace)
  const explicit = new WeakSet<ListedImage>()
  const failed = failures(signal, onFailure)
  const tally = listingTally()
  let isOver = false

  async function* wanted(repository: string, found: AsyncIterable<ListedImage>) {
    try {
      yield* selectImages(selected, found)
      failed.succeeded()
    } catch (error) {
      failed.take({ registry, repository }, error)
    }
  }

  async function* discovered() {
    for await (const { name, changed } of catalog.repositories(signal)) {
      if (selected.repository(below(namespace, name), changed))
        yield wanted(name, catalog.images(name, signal))
    }
  }

  async function* namedImages(group: readonly ImageName[]) {
    for (const { repository, tag, digest } of group) {
      if (tag === undefined && digest === undefined) {
        let isEmpty = true
        for await (const image of catalog.images(repository, signal)) {
          isEmpty = false
          yield image
        }
        if (isEmpty) failed.take({ registry, repository }, unknown(registry, repository))
      } else {
        const image = listedImage({ registry, repository, tag, digest })
        explicit.add(image)
        yield image
      }
    }
  }

  async function* listed(groups: ReadonlyMap<string, readonly ImageName[]>) {
    for (const [name, group] of groups)
      if (selected.repository(below(namespace, name))) yield wanted(name, namedImages(group))
  }

  const resolve = async (image: ListedImage): Promise<ListedImage | undefined> => {
    const isExplicit = explicit.has(image)
    if (!isExplicit && (image.digest !== undefined || !digests)) return image
    const { repository, tag, size_bytes: size, created } = image
    try {
      const reference = tag ?? image.digest!
      const found = await store.head(repository, reference, signal)
      failed.succeeded()
      if (found === undefined) {
        if (isExplicit) failed.take(image, unknown(registry, repository, reference))
        return undefined
      }
      const { digest, mediaType } = found
      return listedImage({ registry, repository, tag, digest, mediaType, size, created })
    } catch (error) {
      failed.take(image, error)
      return undefined
    }
  }

  async function* images() {
    const candidates = concatenated<ListedImage>(named ? listed(named) : discovered(), parallel)
    for await (const image of named || digests ? inOrder(candidates, parallel, resolve) : candidates) {
      if (image === undefined) continue
      tally.add(image)
      yield image
    }
    isOver = true
  }

  return {
    images: images(),
    listing: () => ({
      registry,
      ...(namespace === '' ? {} : { namespace }),
      api: named ? 'list' : catalog.api,
      time: now.toISOString(),
      complete: isOver && !failed.any && catalog.complete(),
      filtered: selected.filters,
      ...tally.facts(),
    }),
  }
}

function byRepository(
  names: readonly string[],
  namespace: string,
): ReadonlyMap<string, readonly ImageName[]> {
  return Map.groupBy(
    names.map((name) => imageName(name, namespace)),
    ({ repository }) => repository,
  )
}

function unknown(registry: string, repository: string, reference?: string): CarryallError {
  const separator = reference?.includes(':') ? '@' : ':'
  const name = `${registry}/${repository}${reference === undefined ? '' : separator + reference}`
  return new CarryallError('REG_MANIFEST_UNKNOWN', `${name} is not there`, {
    subject: { kind: reference === undefined ? 'repository' : 'tag', name },
    hint: 'Correct the list, or leave the list out to see what is there',
  })
}
