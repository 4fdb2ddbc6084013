import type { Exchange, FakeBase } from './fake-server.ts'
import type { QuayAuth } from './quay-auth.ts'
import type { QuayBook } from './quay-book.ts'
import type { QuayOptions } from './quay.ts'
import { refusal, send, sendJson } from './reply.ts'

export interface QuayLists {
  base(exchange: Exchange, auth: QuayAuth): void
  catalog(exchange: Exchange, account: string | undefined): void
  tags(exchange: Exchange, repository: string): void
}

/** Lists of the distribution API as Quay gives them. */
export function quayLists(
  { options: { linkOrigin } }: FakeBase,
  book: QuayBook,
  options: QuayOptions,
): QuayLists {
  const page = (
    exchange: Exchange,
    names: readonly string[],
    token: 'next_page' | 'last',
    value: (shown: readonly string[]) => object,
  ) => {
    const { query, origin, path } = exchange
    const most = options.pageSize ?? 100
    const asked = query.get('n') ?? String(most)
    // A number above the cap is cut down, not refused.
    const n = Math.max(Math.min(/^\d+$/.test(asked) ? Number(asked) : 0, most), 1)
    const after = token === 'last' ? query.get('last') : unseal(query.get('next_page') ?? query.get('last'))
    const rest = after === undefined || after === null ? names : names.filter((name) => name > after)
    const shown = rest.slice(0, n)
    const last = token === 'last' ? shown.at(-1)! : seal(shown.at(-1) ?? '')
    const link = `<${linkOrigin ?? origin}${path}?${new URLSearchParams({ n: String(n), [token]: last }).toString()}>; rel="next"`
    sendJson(exchange, value(shown), rest.length > n ? { link } : {})
  }

  return {
    base: (exchange, auth) => {
      const account = auth.admit(exchange)
      if (account !== undefined)
        return send(exchange, 200, 'true', { 'content-type': 'text/html; charset=utf-8' })
      throw refusal(401, 'UNAUTHORIZED', 'access to the requested resource is not authorized', {
        'www-authenticate': `Bearer realm="${exchange.origin}/v2/auth",service="${new URL(exchange.origin).host}"`,
        'docker-distribution-api-version': 'registry/2.0',
      })
    },
    // To those who are not logged in it is empty, which is no error.
    catalog: (exchange, account) =>
      page(exchange, account === undefined ? [] : book.repositories(), 'next_page', (repositories) => ({
        repositories,
      })),
    tags: (exchange, repository) => {
      const names = book.alive(repository).map(({ name }) => name)
      page(exchange, names, options.pagesByLast ? 'last' : 'next_page', (tags) => ({
        name: repository,
        tags,
      }))
    },
  }
}

/** Page tokens are encrypted: nobody but Quay reads them. */
export function seal(text: string): string {
  return `gAAAA${Buffer.from(text).toString('base64url').split('').toReversed().join('')}`
}

export function unseal(token: string | null): string | undefined {
  if (!token?.startsWith('gAAAA')) return undefined
  return Buffer.from(token.slice('gAAAA'.length).split('').toReversed().join(''), 'base64url').toString()
}
