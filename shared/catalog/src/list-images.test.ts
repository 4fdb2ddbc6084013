import { CarryallError, type ErrorCode } from '@carryall/errors'
import { createHttp } from '@carryall/http'
import { openRegistry, type Source } from '@carryall/oci'
import { pushSample, sampleImage, startDockerRegistry } from '@carryall/oci/testing'
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Catalog, ListedImage } from './catalog.ts'
import { listImages, type ListOptions } from './list-images.ts'
import { openCatalog } from './open-catalog.ts'

const NOW = new Date('2026-03-31T12:00:00Z')
const [one, two] = [sampleImage('one'), sampleImage('two')]

let registry: Awaited<ReturnType<typeof startDockerRegistry>>
beforeEach(async () => {
  registry = await startDockerRegistry()
})
afterEach(() => registry.stop())

const open = async (namespace = '', change: (store: Source) => Source = (store) => store) => {
  const http = createHttp({ retry: { times: 0 } })
  onTestFinished(() => http.close())
  const credentials = { find: async () => undefined, describe: () => '' }
  const destination = openRegistry({ host: registry.host }, { http, credentials })
  const store = change(destination)
  const catalog = await openCatalog(namespace, 'distribution', { store, http, registry: registry.host })
  return { destination, store, catalog }
}
const list = async (
  { catalog, store }: { catalog: Catalog; store: Source },
  options: Partial<ListOptions> = {},
  namespace = '',
) => {
  const failures: [string, string][] = []
  const found = listImages(catalog, store, namespace, {
    digests: false,
    parallel: 4,
    now: NOW,
    signal: new AbortController().signal,
    onFailure: ({ repository, tag }, error) =>
      failures.push([tag ? `${repository}:${tag}` : repository, (error as CarryallError).code]),
    ...options,
  })
  const images = await Array.fromAsync(found.images)
  return { images, names: images.map(nameOf), listing: found.listing(), failures }
}
/** A list that fails at its first name. */
const refused = (code: ErrorCode): AsyncIterable<string> => ({
  [Symbol.asyncIterator]: () => ({
    next: () => Promise.reject(new CarryallError(code, 'No')),
  }),
})
const nameOf = ({ repository, tag, digest }: ListedImage) =>
  `${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`

test('names, and digests where they are asked for, and what the list came to', async () => {
  const ends = await open()
  await pushSample(ends.destination, 'b', one, '1')
  await pushSample(ends.destination, 'a/x', two, 'latest')
  expect((await list(ends)).names).toEqual(['a/x:latest', 'b:1'])
  const { names, listing, images } = await list(ends, { digests: true })
  expect(names).toEqual([`a/x:latest@${two.manifest.digest}`, `b:1@${one.manifest.digest}`])
  expect(images[0]).toEqual({
    registry: registry.host,
    repository: 'a/x',
    tag: 'latest',
    digest: two.manifest.digest,
    media_type: two.manifest.mediaType,
  })
  expect(listing).toEqual({
    registry: registry.host,
    api: 'distribution',
    time: '2026-03-31T12:00:00.000Z',
    complete: true,
    filtered: false,
    repositories: 2,
    images: 2,
    list_digest: `sha256:${createHash('sha256')
      .update(names.map((name) => `${name}\n`).join(''))
      .digest('hex')}`,
  })
})

test('a namespace, a selection, and one HEAD only for what is left', async () => {
  const ends = await open('team')
  for (const tag of ['1.0.0', '1.1.0', 'latest']) await pushSample(ends.destination, 'team/app', one, tag)
  await pushSample(ends.destination, 'team/web', one, '2.0.0')
  await pushSample(ends.destination, 'other', one, '1.0.0')
  const selection = { repositories: { include: ['app'] }, tags: { semver: '>=1', newest: 1 } }
  const before = registry.requests().length
  const { names, listing } = await list(ends, { selection, digests: true }, 'team')
  expect(names).toEqual([`team/app:1.1.0@${one.manifest.digest}`])
  expect(listing).toMatchObject({ namespace: 'team', filtered: true, complete: true, images: 1 })
  expect(
    registry
      .requests()
      .slice(before)
      .filter(({ method }) => method === 'HEAD').length,
  ).toBe(1)
})

test('a tag that vanishes between list and HEAD is not there', async () => {
  const ends = await open('', (store) => ({
    ...store,
    head: async (repository, reference, signal) =>
      reference === '2' ? undefined : store.head(repository, reference, signal),
  }))
  for (const tag of ['1', '2', '3']) await pushSample(ends.destination, 'a', one, tag)
  const { images, listing, failures } = await list(ends, { digests: true })
  expect(new Set(images.map(({ tag }) => tag))).toEqual(new Set(['1', '3']))
  expect([listing.complete, listing.images, failures]).toEqual([true, 2, []])
})

test('what cannot be read is told, and the rest is listed', async () => {
  const denied = () => refused('AUTH_DENIED')
  const ends = await open('', (store) => ({
    ...store,
    tags: (repository, signal) => (repository === 'b' ? denied() : store.tags(repository, signal)),
    head: async (repository, reference, signal) => {
      if (repository === 'c') throw new CarryallError('REG_REFUSED', 'No')
      return store.head(repository, reference, signal)
    },
  }))
  for (const name of ['a', 'b', 'c', 'd']) await pushSample(ends.destination, name, one, '1')
  const { images, listing, failures } = await list(ends, { digests: true })
  expect(images.map(({ repository }) => repository)).toEqual(['a', 'd'])
  expect(listing).toMatchObject({ complete: false, images: 2 })
  expect(new Map(failures)).toEqual(
    new Map([
      ['b', 'AUTH_DENIED'],
      ['c:1', 'REG_REFUSED'],
    ]),
  )
  const strict = listImages(ends.catalog, ends.store, '', {
    digests: true,
    parallel: 1,
    now: NOW,
    signal: new AbortController().signal,
  })
  await expect(Array.fromAsync(strict.images)).rejects.toMatchObject({ code: 'AUTH_DENIED' })
  expect(strict.listing().complete).toBe(false)
})

test('an answer that no registry gives ends the list, and so does one that does not answer any more', async () => {
  const failing = (code: 'REG_PROTOCOL' | 'NET_UNAVAILABLE') =>
    open('', (store) => ({
      ...store,
      tags: () => refused(code),
      async *repositories() {
        for (let index = 0; index < 30; index += 1) yield `r${index}`
      },
    }))
  await expect(list(await failing('REG_PROTOCOL'))).rejects.toMatchObject({ code: 'REG_PROTOCOL' })
  await expect(list(await failing('NET_UNAVAILABLE'))).rejects.toMatchObject({ code: 'REG_GIVEN_UP' })
})

test('what is named has to be there', async () => {
  const ends = await open()
  for (const tag of ['1', '2']) await pushSample(ends.destination, 'team/app', one, tag)
  await pushSample(ends.destination, 'team/web', two, '1')
  const names = ['web:1', 'app:2', `web@${two.manifest.digest}`, 'app', 'app:3', 'none', 'none:1']
  const found = await list(ends, { names }, 'team')
  expect(found.names).toEqual([
    `team/web:1@${two.manifest.digest}`,
    `team/web@${two.manifest.digest}`,
    `team/app:2@${one.manifest.digest}`,
    ...found.names.slice(3, 5),
  ])
  expect(found.names.slice(3).toSorted()).toEqual(['team/app:1', 'team/app:2'])
  expect(new Map(found.failures)).toEqual(
    new Map(['team/app:3', 'team/none', 'team/none:1'].map((name) => [name, 'REG_MANIFEST_UNKNOWN'])),
  )
  expect(found.listing).toMatchObject({ api: 'list', complete: false, filtered: false, images: 5 })
})

test.each(['Team/app:1', 'app:', 'app@sha256:1', 'a b', 'app:1@sha256:1', '../app:1', 'https://x/app'])(
  'a name %j is refused before anything is asked',
  async (name) => {
    await expect(list(await open(), { names: [name] })).rejects.toMatchObject({ code: 'REFERENCE_INVALID' })
    expect(registry.requests()).toEqual([])
  },
)

test('it stops when it is told to', async () => {
  const ends = await open()
  for (const name of ['a', 'b', 'c']) await pushSample(ends.destination, name, one, '1')
  const controller = new AbortController()
  const { images } = listImages(ends.catalog, ends.store, '', {
    digests: true,
    parallel: 1,
    now: NOW,
    signal: controller.signal,
    onFailure: () => {},
  })
  const iterator = images[Symbol.asyncIterator]()
  await iterator.next()
  controller.abort(new Error('enough'))
  await expect(Array.fromAsync({ [Symbol.asyncIterator]: () => iterator })).rejects.toThrow('enough')
})
