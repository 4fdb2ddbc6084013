import { CarryallError } from '@carryall/errors'

const MAX_PASSES = 10
const MAX_BARREN = 10
const MAX_ENTRIES = 2_000_000

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Undefined behind the last one. */
  readonly next: URL | undefined
  /** Entries of the whole list, where the API tells. */
  readonly total?: number | undefined
}

export interface PagedList<T> {
  /** For messages: "the tags of a/b at host". */
  readonly what: string
  readonly first: URL
  /** Undefined where there is no such list. */
  read(url: URL): Promise<Page<T> | undefined>
  key(item: T): string
  /** Pages are found by a cursor in the list: what comes and goes does not shift them. */
  readonly steady?: boolean
}

/**
 * Entries of a list in pages, each once. Pages by number shift when entries come or go while they are read, and what slides
 * over the edge of a page is missed: a list of several pages is read again until the API's own count, unchanged from page
 * to page, is that of what was seen, or a pass brings nothing new behind what is known. Throws API_PROTOCOL for pages that
 * do not end or do not hold what they count (reliability: T4).
 */
export async function* settledPages<T>(list: PagedList<T>): AsyncGenerator<T, void, undefined> {
  /** By key: in which pass it was seen first. */
  const seen = new Map<string, number>()
  let firstPages = 0
  for (let pass = 1; ; pass += 1) {
    const visited = new Set<string>()
    const totals = new Set<number | undefined>()
    let barren = 0
    let isKnown = false
    let missed = 0
    for (let url: URL | undefined = list.first; url !== undefined;) {
      if (visited.has(url.href) || barren > MAX_BARREN || seen.size > MAX_ENTRIES)
        throw endless(list, seen.size)
      if (pass > 1 && visited.size > 2 * firstPages + MAX_BARREN) throw endless(list, seen.size)
      visited.add(url.href)
      const page = await list.read(url)
      const before = seen.size
      for (const item of page?.items ?? []) {
        const key = list.key(item)
        const since = seen.get(key)
        if (since !== undefined) {
          isKnown ||= since < pass
          continue
        }
        seen.set(key, pass)
        // What is new in front of all that is known was added meanwhile, and did not slide.
        if (isKnown) missed += 1
        yield item
      }
      if (pass === 1) barren = seen.size > before ? 0 : barren + 1
      totals.add(page?.total)
      url = page?.next
    }
    firstPages ||= visited.size
    const [total] = totals
    if (visited.size === 1 || list.steady) return enough(list, seen.size, total)
    if (totals.size === 1 && total === seen.size) return
    if (pass > 1 && missed === 0) return enough(list, seen.size, [...totals].at(-1))
    if (pass === MAX_PASSES) throw restless(list)
  }
}

function enough<T>({ what, first }: PagedList<T>, count: number, total = 0): void {
  if (count >= total) return
  throw new CarryallError('API_PROTOCOL', `Read ${count} of ${what}, which are ${total} by their own count`, {
    subject: { kind: 'host', name: first.host },
    expected: total,
    actual: count,
    hint: 'Run the same command again; if it stays so, list the registry by the API "distribution"',
  })
}

function endless<T>({ what, first }: PagedList<T>, count: number): CarryallError {
  return new CarryallError('API_PROTOCOL', `The pages of ${what} do not end; read ${count}`, {
    subject: { kind: 'host', name: first.host },
    actual: count,
  })
}

function restless<T>({ what, first }: PagedList<T>): CarryallError {
  return new CarryallError('API_PROTOCOL', `${what} changed whenever they were read, ${MAX_PASSES} times`, {
    subject: { kind: 'host', name: first.host },
    retryable: true,
    hint: 'Run the same command again when less is pushed and deleted there',
  })
}
