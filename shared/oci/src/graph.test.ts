import { expect, test } from 'vitest'
import { walkImage } from './graph.ts'
import { AMBIGUOUS_MANIFESTS, ambiguousChild, scriptedRegistry } from './testing/index.ts'

test.each(AMBIGUOUS_MANIFESTS)('refuses $name', async ({ manifest, code }) => {
  const known = [manifest, ambiguousChild.manifest]
  const { store } = await scriptedRegistry(({ url }) => {
    const found = url.endsWith('/v1') ? manifest : known.find(({ digest }) => url.endsWith(`/${digest}`))
    return found && { status: 200, headers: { 'content-type': found.mediaType }, body: found.bytes }
  })
  await expect(walkImage(store, 'a', 'v1')).rejects.toMatchObject({ code })
})

test('there is nothing else wrong with them', async () => {
  expect(AMBIGUOUS_MANIFESTS.length).toBeGreaterThanOrEqual(25)
  const { bytes, mediaType } = ambiguousChild.manifest
  const { store } = await scriptedRegistry(() => ({
    status: 200,
    headers: { 'content-type': mediaType },
    body: bytes,
  }))
  const { manifests } = await walkImage(store, 'a', 'v1')
  expect(manifests.map(({ digest }) => digest)).toEqual([ambiguousChild.manifest.digest])
})
