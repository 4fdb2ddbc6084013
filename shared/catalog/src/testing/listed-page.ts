/** One page of a list by its number, from 1 on. */
export interface ListedPage<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** Takes a page out of a list that is made up anew for each: what comes in between shifts it. */
export function listedPage<T>(
  all: readonly T[],
  page: number,
  size: number,
  endless: boolean | undefined,
): ListedPage<T> {
  const pages = Math.max(Math.ceil(all.length / size), 1)
  const shown = endless ? ((page - 1) % pages) + 1 : page
  const items = all.slice((shown - 1) * size, shown * size)
  return { items, more: endless === true || shown < pages }
}

/** A whole number of a query, within bounds; `otherwise` where it is none. */
export function numberOf(query: URLSearchParams, key: string, otherwise: number, max = Infinity): number {
  const text = query.get(key) ?? ''
  return /^\d+$/.test(text) ? Math.min(Math.max(Number(text), 1), max) : otherwise
}
