import type { ListedImage } from './catalog.ts'

/** What APIs tell of an image; null and '' are as good as absent. */
interface Told {
  readonly registry: string
  readonly repository: string
  readonly tag?: string | undefined
  readonly digest?: string | null | undefined
  readonly mediaType?: string | null | undefined
  readonly size?: number | null | undefined
  /** RFC 3339 or RFC 2822, or seconds since 1970. */
  readonly created?: string | number | null | undefined
}

/** A line of a list, its keys in the order of the document. */
export function listedImage(told: Told): ListedImage {
  const created = time(told.created)
  return {
    registry: told.registry,
    repository: told.repository,
    ...(told.tag === undefined ? {} : { tag: told.tag }),
    ...(told.digest ? { digest: told.digest } : {}),
    ...(told.mediaType ? { media_type: told.mediaType } : {}),
    ...(typeof told.size === 'number' ? { size_bytes: told.size } : {}),
    ...(created === undefined ? {} : { created }),
  }
}

function time(told: Told['created']): string | undefined {
  if (told === undefined || told === null || told === '') return undefined
  const date = new Date(typeof told === 'number' ? told * 1000 : told)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
