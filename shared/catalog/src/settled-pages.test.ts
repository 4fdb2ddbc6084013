import { expect, test } from 'vitest'
import { type Page, settledPages } from './settled-pages.ts'

const FIRST = new URL('http://registry.example/list?page=1')

interface Server {
  /** Newest first, as most lists are. */
  names: string[]
  /** Called before each page but the very first. */
  change?: (request: number) => void
  total?: boolean
  size?: number
}

function list(server: Server) {
  const { size = 3 } = server
  let requests = 0
  const read = async (url: URL): Promise<Page<string> | undefined> => {
    requests += 1
    if (requests > 1) server.change?.(requests)
    const number = Number(url.searchParams.get('page'))
    const next = new URL(url)
    next.searchParams.set('page', String(number + 1))
    return {
      items: server.names.slice((number - 1) * size, number * size),
      next: number * size < server.names.length ? next : undefined,
      ...(server.total ? { total: server.names.length } : {}),
    }
  }
  const pages = settledPages({ what: 'the names', first: FIRST, read, key: (name) => name })
  return { pages, requests: () => requests }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`)

test('one page is one answer, and read once', async () => {
  const { pages, requests } = list({ names: names(3) })
  expect(await Array.fromAsync(pages)).toEqual(names(3))
  expect(requests()).toBe(1)
})

test('several pages are read once where the count stays what was seen, else twice', async () => {
  const counted = list({ names: names(8), total: true })
  expect(await Array.fromAsync(counted.pages)).toEqual(names(8))
  expect(counted.requests()).toBe(3)
  const uncounted = list({ names: names(8) })
  expect(await Array.fromAsync(uncounted.pages)).toEqual(names(8))
  expect(uncounted.requests()).toBe(6)
})

test.each([true, false])('what slides over the edge of a page is found (total: %s)', async (total) => {
  const server: Server = { names: names(9), total }
  // n3 moves to the first page while that is behind us.
  server.change = (request) => {
    if (request === 2) server.names = server.names.filter((name) => name !== 'n0')
  }
  const found = await Array.fromAsync(list(server).pages)
  expect(found.toSorted()).toEqual(names(9))
})

test('a name that moves to the front while a later page has it is found', async () => {
  const server: Server = { names: names(9) }
  server.change = (request) => {
    if (request === 2) server.names = ['n8', ...names(8)]
  }
  expect((await Array.fromAsync(list(server).pages)).toSorted()).toEqual(names(9))
})

test('what is pushed all the time does not keep it from ending, and comes twice nowhere', async () => {
  const server: Server = { names: names(9) }
  server.change = (request) => void server.names.unshift(`new${request}`)
  const found = await Array.fromAsync(list(server).pages)
  expect(new Set(found).size).toBe(found.length)
  expect(found).toEqual(expect.arrayContaining(names(9)))
})

test('while names go all the time, all that stay are found', async () => {
  const server: Server = { names: names(5000), size: 30 }
  server.change = () => void server.names.shift()
  expect(await Array.fromAsync(list(server).pages)).toEqual(expect.arrayContaining(server.names))
})

test('a list that is another one each time has no end: API_PROTOCOL', async () => {
  const server: Server = { names: names(6) }
  server.change = (request) => {
    server.names = server.names.with(4, `other${request}`)
  }
  await expect(Array.fromAsync(list(server).pages)).rejects.toMatchObject({
    code: 'API_PROTOCOL',
    details: { retryable: true },
  })
})

test.each([
  ['the same page for ever', async (url: URL) => ({ items: ['a'], next: url })],
  [
    'the same names for ever',
    async (url: URL) => ({
      items: ['a'],
      next: new URL(`?page=${Number(url.searchParams.get('page')) + 1}`, url),
    }),
  ],
  [
    'empty pages for ever',
    async (url: URL) => ({
      items: [],
      next: new URL(`?page=${Number(url.searchParams.get('page')) + 1}`, url),
    }),
  ],
])('%s: API_PROTOCOL', async (_, read) => {
  const pages = settledPages<string>({ what: 'the names', first: FIRST, read, key: (name) => name })
  await expect(Array.fromAsync(pages)).rejects.toMatchObject({ code: 'API_PROTOCOL' })
})

test('fewer than their own count: API_PROTOCOL', async () => {
  const read = async () => ({ items: ['a', 'b'], next: undefined, total: 3 })
  const pages = settledPages<string>({ what: 'the names', first: FIRST, read, key: (name) => name })
  await expect(Array.fromAsync(pages)).rejects.toMatchObject({
    code: 'API_PROTOCOL',
    details: { expected: 3, actual: 2 },
  })
})

test('no list at all is an empty one', async () => {
  const pages = settledPages<string>({
    what: 'the names',
    first: FIRST,
    read: async () => undefined,
    key: (name) => name,
  })
  expect(await Array.fromAsync(pages)).toEqual([])
})
