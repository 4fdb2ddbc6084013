import { listImages, type ListedImage, type Unread } from '@carryall/catalog'
import type { Phase } from '@carryall/cli'
import type { Source } from '@carryall/oci'
import { isDigest, isRepository, isTag, type RegistryApi } from '@carryall/schemas'
import { under } from './ends.ts'
import type { Pair } from './pairs.ts'
import type { Ends } from './ports.ts'

/** What the source of a pair has, before any filter of tags. */
export interface SourceList {
  readonly images: readonly ListedImage[]
  /** What could not be listed; without a tag it is a whole repository. */
  readonly unread: readonly { readonly image: Unread; readonly error: unknown }[]
  readonly api: RegistryApi
  /** Every page was read, or all was named by a list that came to its end. */
  readonly complete: boolean
  /** All tags of each of its repositories are in it. */
  readonly whole: boolean
  /** The tags of cosign are not in it, where they are. */
  readonly hidesAttached: boolean
}

export interface ListSourceOptions {
  readonly ends: Ends
  readonly parallel: number
  readonly now: Date
  readonly phase: (title: string) => Phase
  readonly signal: AbortSignal
}

/** Lists the source of a pair, or takes what was named or listed already. Throws API_*, REG_*, AUTH_*, NET_*. */
export async function listSource(
  pair: Pair,
  source: Source,
  { ends, parallel, now, phase, signal }: ListSourceOptions,
): Promise<SourceList> {
  const named = pair.listed ?? namedImages(pair)
  if (named !== undefined)
    return {
      images: named,
      unread: [],
      api: 'list',
      complete: pair.cut !== true,
      whole: false,
      hidesAttached: false,
    }
  const catalog = await ends.catalog('src', pair.source, pair.api)
  const unread: SourceList['unread'][number][] = []
  const list = listImages(catalog, source, pair.source.path, {
    ...(pair.repositories === undefined ? {} : { selection: { repositories: pair.repositories } }),
    ...(pair.images === undefined ? {} : { names: pair.images }),
    digests: false,
    parallel,
    now,
    signal,
    onFailure: (image, error) => unread.push({ image, error }),
  })
  const listing = phase('Listing')
  const images: ListedImage[] = []
  try {
    for await (const image of list.images) {
      const last = images.at(-1)?.repository
      if (last !== undefined && last !== image.repository) listing.finished(last)
      images.push(image)
    }
    if (images.length > 0) listing.finished(images.at(-1)!.repository)
  } finally {
    listing.end()
  }
  const { api, complete } = list.listing()
  return {
    images,
    unread,
    api,
    complete: complete || pair.images !== undefined,
    whole: complete && pair.images === undefined,
    hidesAttached: catalog.hidesAttached === true,
  }
}

/** The images of a pair where each is named with its tag or digest: comparing finds out whether it is there. */
function namedImages({ images, source }: Pair): readonly ListedImage[] | undefined {
  const named = (images ?? []).map((name): ListedImage | undefined => {
    const [, path = '', tag, digest] = /^([^:@]+)(?::([^@:]+))?(?:@(.+))?$/.exec(name) ?? []
    const repository = under(source.path, path)
    const isWhole = isRepository(repository) && (digest === undefined ? isTag(tag ?? '') : isDigest(digest))
    if (!isWhole) return undefined
    return {
      registry: source.registry,
      repository,
      ...(tag === undefined ? {} : { tag }),
      ...(digest === undefined ? {} : { digest }),
    }
  })
  return images !== undefined && named.every((one) => one !== undefined) ? named : undefined
}
