import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { storeSuite } from '../store-suite.ts'
import { pushSample, sampleArtifact, sampleBlob, sampleImage, sampleIndex } from '../testing/samples.ts'
import { openLayout } from './open-layout.ts'

const run = promisify(execFile)

storeSuite('OCI layout', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'layout-'))
  const store = await openLayout(directory, { write: true })
  return {
    store,
    async close() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'layout-'))
})
afterEach(() => rm(directory, { recursive: true }))

const layout = (name: string) => join(directory, name)
const skopeo = async (...args: string[]) => (await run('skopeo', args)).stdout
const all = async (items: AsyncIterable<string>) => {
  const found: string[] = []
  for await (const item of items) found.push(item)
  return found
}

test('skopeo reads what is written here, by repository and tag', async () => {
  const images = ['amd64', 'arm64'].map((architecture) => sampleImage(architecture, { architecture }))
  const index = sampleIndex(images)
  const store = await openLayout(layout('out'), { write: true })
  await pushSample(store, 'group/app', index, 'v1')
  await pushSample(store, 'group/other', images[0]!, 'v1')
  await store.close()
  const raw = await skopeo('inspect', '--raw', `oci:${layout('out')}:group/app:v1`)
  expect(Buffer.from(raw).equals(index.manifest.bytes)).toBe(true)
  await skopeo('copy', '--all', `oci:${layout('out')}:group/app:v1`, `oci:${layout('copy')}:again`)
  const copy = await openLayout(layout('copy'))
  expect(await copy.manifest('copy', 'again')).toEqual(index.manifest)
})

test('what skopeo wrote is found: plain tags in the repository of the directory, children by digest', async () => {
  const images = ['amd64', 'arm64'].map((architecture) => sampleImage(architecture, { architecture }))
  const index = sampleIndex(images)
  const first = await openLayout(layout('first'), { write: true })
  await pushSample(first, 'a', index, 'v1')
  await first.close()
  await skopeo('copy', '--all', `oci:${layout('first')}:a:v1`, `oci:${layout('my_layout')}:v7`)
  await skopeo('copy', '--all', `oci:${layout('first')}:a:v1`, `oci:${layout('my_layout')}:named/app:v8`)
  const store = await openLayout(layout('my_layout'))
  expect(await all(store.repositories())).toEqual(['my_layout', 'named/app'])
  expect(await all(store.tags('my_layout'))).toEqual(['v7'])
  for (const [repository, tag] of [
    ['my_layout', 'v7'],
    ['named/app', 'v8'],
  ] as const) {
    expect(await store.manifest(repository, tag)).toEqual(index.manifest)
    for (const image of images)
      expect(await store.manifest(repository, image.manifest.digest)).toEqual(image.manifest)
  }
})

test('an entry without a name is reachable by its digest, and foreign keys of index.json survive a write', async () => {
  const image = sampleImage('nameless')
  const store = await openLayout(layout('app'), { write: true })
  await pushSample(store, 'app', image, 'v1')
  const file = join(layout('app'), 'index.json')
  const strange = { mediaType: 'application/x', digest: `sha512:${'0'.repeat(128)}`, size: 1 }
  const entry = { ...image.descriptor, 'x-key': 'kept' }
  await writeFile(file, JSON.stringify({ schemaVersion: 2, 'x-root': true, manifests: [entry, strange] }))
  expect(await all(store.tags('app'))).toEqual([])
  expect(await store.manifest('app', image.manifest.digest)).toEqual(image.manifest)
  await store.putManifest('b', 'v2', image.manifest)
  const written = JSON.parse(await readFile(file, 'utf8')) as { manifests: unknown[] }
  expect(written).toMatchObject({ schemaVersion: 2, 'x-root': true })
  expect(written.manifests).toContainEqual(entry)
  expect(written.manifests).toContainEqual(strange)
  await store.close()
})

test('a change by another program is seen by an open store, and kept by its next write', async () => {
  const [ours, theirs] = [sampleImage('ours'), sampleImage('theirs')]
  const other = await openLayout(layout('source'), { write: true })
  await pushSample(other, 'source', theirs, 'v1')
  await other.close()
  const store = await openLayout(layout('app'), { write: true })
  await pushSample(store, 'app', ours, 'ours')
  await skopeo('copy', `oci:${layout('source')}:source:v1`, `oci:${layout('app')}:theirs`)
  expect(await all(store.tags('app'))).toEqual(['ours', 'theirs'])
  await store.putManifest('app', 'both', ours.manifest)
  expect(await all(store.tags('app'))).toEqual(['both', 'ours', 'theirs'])
  await store.close()
})

test('a damaged manifest is refused, a damaged blob is replaced by what hashes', async () => {
  const image = sampleImage('damaged')
  const store = await openLayout(layout('app'), { write: true })
  await pushSample(store, 'app', image, 'v1')
  const path = (digest: string) => join(layout('app'), 'blobs', 'sha256', digest.slice(7))
  const layer = image.blobs[1]!
  await writeFile(path(layer.descriptor.digest), layer.bytes.subarray(1))
  expect(await store.putBlob('app', layer.descriptor, layer.open)).toBe('uploaded')
  expect((await readFile(path(layer.descriptor.digest))).equals(layer.bytes)).toBe(true)
  const spoilt = Buffer.from(image.manifest.bytes)
  spoilt[spoilt.length - 2]! ^= 1
  await writeFile(path(image.manifest.digest), spoilt)
  await expect(store.manifest('app', 'v1')).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  await store.close()
})

test('a manifest and its tags are removed; a tag alone leaves the manifest; a part of an index stays', async () => {
  const image = sampleImage('removed')
  const index = sampleIndex([image])
  const store = await openLayout(layout('app'), { write: true })
  await pushSample(store, 'app', image, 'v1')
  await pushSample(store, 'app', index, 'multi')
  expect(await store.deleteManifest('app', 'v1')).toBe(true)
  expect(await store.head('app', 'v1')).toBeUndefined()
  expect(await store.head('app', image.manifest.digest)).toEqual(image.descriptor)
  await expect(store.deleteManifest('app', image.manifest.digest)).rejects.toMatchObject({
    code: 'REG_REFUSED',
  })
  expect(await store.deleteManifest('app', index.manifest.digest)).toBe(true)
  expect(await store.deleteManifest('app', image.manifest.digest)).toBe(true)
  expect(await store.deleteManifest('app', 'none')).toBe(false)
  expect(await all(store.repositories())).toEqual([])
  await store.close()
})

test('a manifest goes with its last tag if it may, and stays with another one or without leave', async () => {
  const image = sampleImage('deleted')
  const { digest } = image.manifest
  const store = await openLayout(layout('app'), { write: true })
  for (const tag of ['a', 'b', 'c']) await pushSample(store, 'app', image, tag)
  expect(await store.deleteTag('app', 'a', digest, { manifestMayGo: true })).toBe('deleted')
  expect(await store.head('app', digest)).toEqual(image.descriptor)
  expect(await store.deleteTag('app', 'b', digest)).toBe('deleted')
  expect(await all(store.tags('app'))).toEqual(['c'])
  expect(await store.deleteTag('app', 'c', digest)).toBe('deleted')
  expect(await store.head('app', digest)).toEqual(image.descriptor)
  await store.putManifest('app', 'd', image.manifest)
  expect(await store.deleteTag('app', 'd', digest, { manifestMayGo: true })).toBe('deleted')
  expect(await store.head('app', digest)).toBeUndefined()
  expect(await all(store.repositories())).toEqual([])
  await store.close()
  const reader = await openLayout(layout('app'))
  await expect(reader.deleteTag('app', 'a', digest)).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
})

test('referrers are found below an index that another program wrote', async () => {
  const image = sampleImage('subject')
  const signature = sampleArtifact('below', image.descriptor)
  const store = await openLayout(layout('app'), { write: true })
  await pushSample(store, 'app', sampleIndex([image, signature]), 'multi')
  await writeFile(join(layout('app'), 'index.json'), await onlyTags(join(layout('app'), 'index.json')))
  expect(await store.referrers('app', image.manifest.digest)).toMatchObject([signature.descriptor])
  await store.close()
})

test('there is one writer; readers need no lock', async () => {
  const store = await openLayout(layout('app'), { write: true })
  await expect(openLayout(layout('app'), { write: true })).rejects.toMatchObject({ code: 'LOCK_HELD' })
  const reader = await openLayout(layout('app'))
  const blob = sampleBlob('read only')
  await expect(reader.putBlob('app', blob.descriptor, blob.open)).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  })
  await store.close()
  await (await openLayout(layout('app'), { write: true })).close()
})

test('a directory with other files is not made a layout, an absent one is not read, an unknown version is refused', async () => {
  await mkdir(layout('full'))
  await writeFile(join(layout('full'), 'notes.txt'), '')
  await expect(openLayout(layout('full'), { write: true })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  expect(await readdir(layout('full'))).toEqual(['notes.txt'])
  await expect(openLayout(layout('absent'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  await writeFile(join(layout('full'), 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
  await expect(openLayout(layout('full'))).rejects.toMatchObject({ code: 'CONFIG_UNSUPPORTED' })
  await writeFile(join(layout('full'), 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(layout('full'), 'index.json'), '{"manifests":')
  await expect(openLayout(layout('full'))).rejects.toMatchObject({ code: 'INPUT_SYNTAX' })
})

test('nothing but a digest becomes a path', async () => {
  const store = await openLayout(layout('app'), { write: true })
  for (const digest of ['sha256:../../index.json', '../oci-layout', `sha256:${'A'.repeat(64)}`]) {
    expect(await store.hasBlob('app', digest)).toBe(false)
    await expect(
      all(store.blob('app', { mediaType: 'a/b', digest, size: 1 }) as AsyncIterable<never>),
    ).rejects.toMatchObject({ code: 'REG_BLOB_UNKNOWN' })
  }
  const image = sampleImage('names')
  await expect(store.putManifest('Not/A/Name', 'v1', image.manifest)).rejects.toMatchObject({
    code: 'REFERENCE_INVALID',
  })
  await expect(store.putManifest('app', '../v1', image.manifest)).rejects.toMatchObject({
    code: 'REFERENCE_INVALID',
  })
  await store.close()
})

/** index.json without the entries that are pinned by digest, as another tool would have written it. */
async function onlyTags(file: string): Promise<string> {
  const index = JSON.parse(await readFile(file, 'utf8')) as {
    manifests: { annotations: Record<string, string> }[]
  }
  const manifests = index.manifests.filter(
    (entry) => !entry.annotations['org.opencontainers.image.ref.name']?.includes('@'),
  )
  return JSON.stringify({ ...index, manifests })
}
