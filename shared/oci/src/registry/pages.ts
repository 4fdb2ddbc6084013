import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import type { Connection, RegistryRequest } from './connection.ts'
import { nextLink } from './link.ts'
import { ownUrl } from './origin.ts'
import { requestWhole } from './request-whole.ts'

const MAX_PAGE = 32 * 1024 * 1024
const MAX_BARREN = 10
const MAX_ENTRIES = 2_000_000

/**
 * Follows `Link: rel="next"` from page to page of the same origin and yields the entries that are new; the first answer
 * other than 200 is handed to `otherwise`, which decides what the listing is then. Throws NET_ORIGIN_REFUSED, and
 * REG_PROTOCOL where the registry turns in circles (reliability: T4).
 */
export async function* pages(
  registry: Connection,
  first: RegistryRequest,
  read: (bytes: Buffer, answer: HttpResponse) => readonly string[],
  otherwise: (answer: HttpResponse) => Promise<void>,
): AsyncGenerator<string> {
  const visited = new Set<string>()
  const seen = new Set<string>()
  let barren = 0
  for (let request = first; ;) {
    const { answer, bytes } = await requestWhole(registry, request, MAX_PAGE)
    if (bytes === undefined) return otherwise(answer)
    visited.add(answer.url.href)
    const before = seen.size
    for (const entry of read(bytes, answer)) {
      if (seen.has(entry)) continue
      seen.add(entry)
      yield entry
    }
    const link = nextLink(answer.headers('link'))
    if (link === undefined) return
    const url = ownUrl(link, answer, 'next page')
    barren = seen.size > before ? 0 : barren + 1
    if (visited.has(url.href) || barren > MAX_BARREN || seen.size > MAX_ENTRIES)
      throw circles(answer, seen.size)
    request = { ...first, path: url }
  }
}

/** Reads `{[key]: [names]}`, where the list may be null. Throws REG_PROTOCOL, also for a name that `isName` refuses. */
export function names(
  key: string,
  isName: (name: string) => boolean,
): (bytes: Buffer, answer: HttpResponse) => readonly string[] {
  return (bytes, { url }) => {
    let list: unknown
    try {
      list = (JSON.parse(bytes.toString('utf8')) as Record<string, unknown> | null)?.[key] ?? []
    } catch {
      list = undefined
    }
    const isList = Array.isArray(list) && list.every((name) => typeof name === 'string' && isName(name))
    if (isList) return list as string[]
    throw new CarryallError(
      'REG_PROTOCOL',
      `${url.host} answers ${url.pathname} with no proper list of ${key}`,
      {
        subject: { kind: 'host', name: url.host },
      },
    )
  }
}

function circles({ url }: HttpResponse, count: number): CarryallError {
  return new CarryallError(
    'REG_PROTOCOL',
    `The pages of ${url.host}${url.pathname} do not end; read ${count} names`,
    {
      subject: { kind: 'host', name: url.host },
      actual: count,
    },
  )
}
