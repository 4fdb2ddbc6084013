import { expect, test } from 'vitest'
import { type Answer, refusing, scriptedRegistry } from '../testing/index.ts'

const page = (names: readonly string[] | null, next?: string): Answer => ({
  status: 200,
  headers: next ? { link: `<${next}>; rel="next"` } : {},
  body: JSON.stringify({ tags: names }),
})
const tags = async (answer: (url: string, count: number) => Answer) => {
  const { store, log } = await scriptedRegistry(({ url }, count) =>
    url.includes('tags') ? answer(url, count) : undefined,
  )
  return { tags: await Array.fromAsync(store.tags('a')), log: log() }
}

test('pages are followed by their relative links, and what comes twice is given once', async () => {
  const found = await tags((url) =>
    url.includes('last=c')
      ? page(['c', 'd'])
      : url.includes('last=b')
        ? page(['b', 'c'], '?last=c')
        : page(['a', 'b'], '/v2/a/tags/list?last=b'),
  )
  expect(found).toEqual({
    tags: ['a', 'b', 'c', 'd'],
    log: ['GET /v2/a/tags/list?n=1000', 'GET /v2/a/tags/list?last=b', 'GET /v2/a/tags/list?last=c'],
  })
})

test('no tags, and no repository', async () => {
  expect((await tags(() => page(null))).tags).toEqual([])
  expect((await tags(() => refusing(404, 'NAME_UNKNOWN'))).tags).toEqual([])
})

test('a registry that finds the page too large chooses its own', async () => {
  expect(
    (await tags((url) => (url.includes('n=') ? refusing(400, 'PAGINATION_NUMBER_INVALID') : page(['a']))))
      .tags,
  ).toEqual(['a'])
})

test.each([
  ['the same page for ever', () => page(['a'], '/v2/a/tags/list?n=1000')],
  ['the same names for ever', (_: string, count: number) => page(['a'], `?last=${count}`)],
  ['empty pages for ever', (_: string, count: number) => page([], `?last=${count}`)],
  [
    'two pages in turn',
    (url: string) => (url.includes('last=a') ? page(['b'], '?last=b') : page(['a'], '?last=a')),
  ],
  ['no JSON', () => ({ status: 200, body: '<html>' })],
  ['another shape', () => ({ status: 200, body: '{"tags":{}}' })],
  ['a tag that is none', () => page(['../../etc'])],
])('%s: REG_PROTOCOL', async (_, answer) => {
  await expect(tags(answer)).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
})

test('a registry without a catalog is REG_REFUSED', async () => {
  const { store } = await scriptedRegistry(() => undefined)
  await expect(Array.fromAsync(store.repositories())).rejects.toMatchObject({
    code: 'REG_REFUSED',
    details: { actual: 404 },
  })
})
