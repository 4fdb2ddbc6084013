import { Refusal } from './refusal.ts'

export interface Page {
  readonly names: readonly string[]
  /** Value of the Link header where more follow. */
  readonly link?: string
}

/**
 * One page of sorted names (distribution-spec: listing tags): at most `n` of them, those after `last`. `limit` is what a
 * page has without `n`, and its cap. Throws a Refusal 400.
 */
export function page(names: readonly string[], path: string, query: URLSearchParams, limit: number): Page {
  const asked = query.get('n')
  if (asked !== null && !/^\d{1,9}$/.test(asked)) throw new Refusal(400, 'UNSUPPORTED', 'n is not a number')
  const size = Math.min(asked === null ? limit : Number(asked), limit)
  const last = query.get('last')
  const rest = last === null ? names : names.filter((name) => name > last)
  const shown = rest.slice(0, size)
  const end = shown.at(-1)
  if (end === undefined || shown.length === rest.length) return { names: shown }
  return {
    names: shown,
    link: `<${path}?${new URLSearchParams({ n: String(size), last: end }).toString()}>; rel="next"`,
  }
}
