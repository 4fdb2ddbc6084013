import { hash } from 'node:crypto'
import { isCarryallError } from '@carryall/errors'
import type { Descriptor } from '@carryall/schemas'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Destination } from './store.ts'
import { pushSample, sampleArtifact, sampleBlob, sampleImage, sampleIndex } from './testing/samples.ts'

/** A store of a test's own, empty at first. */
export interface SuiteStore {
  readonly store: Destination
  close(): Promise<void>
}

const ABSENT = `sha256:${'0'.repeat(64)}`
const REPOSITORY = 'group/app'

/** What every store has to do, whatever it is made of: files, a server, archives. `make` is called once for each test. */
export function storeSuite(name: string, make: () => Promise<SuiteStore>): void {
  describe(name, () => {
    let made: SuiteStore
    let store: Destination
    beforeEach(async () => {
      made = await make()
      store = made.store
    })
    afterEach(() => made.close())

    const read = async (blob: Descriptor, offset?: number): Promise<Buffer> =>
      Buffer.concat(await all(store.blob(REPOSITORY, blob, offset)))

    test('a blob is uploaded once and then present', async () => {
      const blob = sampleBlob({ seed: 'large', size: 3 * 1024 * 1024 + 17 })
      expect(await store.hasBlob(REPOSITORY, blob.descriptor.digest)).toBe(false)
      expect(await store.putBlob(REPOSITORY, blob.descriptor, blob.open)).toBe('uploaded')
      expect(await store.hasBlob(REPOSITORY, blob.descriptor.digest)).toBe(true)
      expect((await read(blob.descriptor)).equals(blob.bytes)).toBe(true)
      const again = await store.putBlob(REPOSITORY, blob.descriptor, neverOpened)
      expect(['present', 'mounted']).toContain(again)
    })

    test('a blob is read from any offset to its end', async () => {
      const blob = sampleBlob({ seed: 'ranges', size: 2 * 1024 * 1024 + 5 })
      await store.putBlob(REPOSITORY, blob.descriptor, blob.open)
      for (const offset of [1, 1024 * 1024, blob.bytes.length - 1]) {
        expect((await read(blob.descriptor, offset)).equals(blob.bytes.subarray(offset))).toBe(true)
      }
    })

    test('an empty blob is a blob', async () => {
      const blob = sampleBlob('')
      await store.putBlob(REPOSITORY, blob.descriptor, blob.open)
      expect(await store.hasBlob(REPOSITORY, blob.descriptor.digest)).toBe(true)
      expect(await read(blob.descriptor)).toHaveLength(0)
    })

    test('what is not there is absent, in a repository that exists and in one that does not', async () => {
      await pushSample(store, REPOSITORY, sampleImage('present'), 'v1')
      for (const repository of [REPOSITORY, 'no/such']) {
        expect(await store.hasBlob(repository, ABSENT)).toBe(false)
        expect(await store.head(repository, 'none')).toBeUndefined()
        expect(await store.head(repository, ABSENT)).toBeUndefined()
        await expect(store.manifest(repository, 'none')).rejects.toMatchObject({
          code: 'REG_MANIFEST_UNKNOWN',
        })
        await expect(store.manifest(repository, ABSENT)).rejects.toMatchObject({
          code: 'REG_MANIFEST_UNKNOWN',
        })
        await expect(
          all(store.blob(repository, { mediaType: 'a/b', digest: ABSENT, size: 1 })),
        ).rejects.toMatchObject({ code: 'REG_BLOB_UNKNOWN' })
        expect(await store.referrers(repository, ABSENT)).toEqual([])
      }
      expect(await all(store.tags('no/such'))).toEqual([])
    })

    test('a manifest is found by its tag and its digest, in its own repository only', async () => {
      const image = sampleImage('by tag')
      await pushSample(store, REPOSITORY, image, 'v1')
      for (const reference of ['v1', image.manifest.digest]) {
        expect(await store.head(REPOSITORY, reference)).toMatchObject(image.descriptor)
        expect(await store.manifest(REPOSITORY, reference)).toEqual(image.manifest)
      }
      expect(await store.head('other/app', image.manifest.digest)).toBeUndefined()
      expect(await all(store.tags(REPOSITORY))).toEqual(['v1'])
      expect(await all(store.repositories())).toEqual([REPOSITORY])
    })

    test('a manifest pushed by digest has no tag', async () => {
      const image = sampleImage('untagged')
      await pushSample(store, REPOSITORY, image)
      expect(await store.manifest(REPOSITORY, image.manifest.digest)).toEqual(image.manifest)
      expect(await all(store.tags(REPOSITORY))).toEqual([])
    })

    test('bytes that do not hash are refused and stay invisible', async () => {
      const { descriptor, bytes } = sampleBlob({ seed: 'honest', size: 100_000 })
      const wrong = Buffer.from(bytes)
      wrong[50_000]! ^= 1
      for (const lie of [wrong, bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
        await expect(store.putBlob(REPOSITORY, descriptor, () => once(lie))).rejects.toHaveProperty('code')
        expect(await store.hasBlob(REPOSITORY, descriptor.digest)).toBe(false)
        expect(await store.hasBlob(REPOSITORY, `sha256:${hash('sha256', lie)}`)).toBe(false)
      }
      expect(await store.putBlob(REPOSITORY, descriptor, () => once(bytes))).toBe('uploaded')
    })

    test('a source that breaks off is what the caller is told of', async () => {
      const { descriptor, bytes } = sampleBlob({ seed: 'broken', size: 100_000 })
      const cause = new Error('the source is gone')
      const put = store.putBlob(REPOSITORY, descriptor, () => broken(bytes.subarray(0, 70_000), cause))
      await expect(put).rejects.toBe(cause)
      expect(await store.hasBlob(REPOSITORY, descriptor.digest)).toBe(false)
    })

    test('a manifest under another digest is refused', async () => {
      const [one, other] = [sampleImage('one'), sampleImage('other')]
      await pushSample(store, REPOSITORY, one)
      await expect(store.putManifest(REPOSITORY, other.manifest.digest, one.manifest)).rejects.toHaveProperty(
        'code',
      )
      expect(await store.head(REPOSITORY, other.manifest.digest)).toBeUndefined()
    })

    test('an image whose layer is missing is refused', async () => {
      const image = sampleImage('incomplete')
      for (const blob of image.blobs.slice(0, -1)) await store.putBlob(REPOSITORY, blob.descriptor, blob.open)
      await expect(store.putManifest(REPOSITORY, 'v1', image.manifest)).rejects.toMatchObject({
        code: 'REG_REFUSED',
      })
      expect(await store.head(REPOSITORY, 'v1')).toBeUndefined()
    })

    test('a blob of another repository is mounted, not sent', async () => {
      const blob = sampleBlob({ seed: 'mounted', size: 5000 })
      await store.putBlob('base/os', blob.descriptor, blob.open)
      const outcome = await store.putBlob(REPOSITORY, blob.descriptor, neverOpened, { mountFrom: 'base/os' })
      expect(['mounted', 'present']).toContain(outcome)
      expect((await read(blob.descriptor)).equals(blob.bytes)).toBe(true)
    })

    test('a mount from where the blob is not becomes an upload', async () => {
      const blob = sampleBlob({ seed: 'not mounted', size: 5000 })
      expect(await store.putBlob(REPOSITORY, blob.descriptor, blob.open, { mountFrom: 'base/os' })).toBe(
        'uploaded',
      )
    })

    test('an index has its children by digest, also when indexes are nested', async () => {
      const images = ['amd64', 'arm64', 's390x'].map((architecture) =>
        sampleImage(architecture, { architecture }),
      )
      const inner = sampleIndex(images.slice(0, 2))
      const outer = sampleIndex([inner, images[2]!])
      await pushSample(store, REPOSITORY, outer, 'multi')
      expect(await store.manifest(REPOSITORY, 'multi')).toEqual(outer.manifest)
      for (const { manifest } of [inner, ...images])
        expect(await store.manifest(REPOSITORY, manifest.digest)).toEqual(manifest)
      expect(await all(store.tags(REPOSITORY))).toEqual(['multi'])
    })

    test('Docker manifests keep their bytes and types, with all their spaces', async () => {
      const images = ['amd64', 'arm64'].map((architecture) =>
        sampleImage(architecture, { architecture, docker: true }),
      )
      const list = sampleIndex(images, { docker: true })
      await pushSample(store, REPOSITORY, list, 'docker')
      expect(await store.manifest(REPOSITORY, 'docker')).toEqual(list.manifest)
      for (const { manifest } of images)
        expect(await store.manifest(REPOSITORY, manifest.digest)).toEqual(manifest)
    })

    test('layers of any media type are kept', async () => {
      const image = sampleImage('zstd', { layerType: 'application/vnd.oci.image.layer.v1.tar+zstd' })
      await pushSample(store, REPOSITORY, image, 'zstd')
      expect(await store.manifest(REPOSITORY, 'zstd')).toEqual(image.manifest)
    })

    test('artifacts are listed as referrers of their subject', async () => {
      const [image, other] = [sampleImage('signed'), sampleImage('unsigned')]
      const signature = sampleArtifact('signature', image.descriptor)
      const sbom = sampleArtifact('sbom', image.descriptor, 'application/vnd.example.sbom')
      await pushSample(store, REPOSITORY, image, 'v1')
      await pushSample(store, REPOSITORY, other, 'v2')
      await pushSample(store, REPOSITORY, signature)
      await pushSample(store, REPOSITORY, sbom)
      const found = await store.referrers(REPOSITORY, image.manifest.digest)
      expect(found.toSorted(byDigest)).toMatchObject(
        [signature, sbom]
          .map(({ descriptor }, index) => ({
            ...descriptor,
            artifactType: ['application/vnd.example.signature', 'application/vnd.example.sbom'][index],
            annotations: { 'org.example.seed': ['signature', 'sbom'][index] },
          }))
          .toSorted(byDigest),
      )
      expect(await store.referrers(REPOSITORY, other.manifest.digest)).toEqual([])
      const onSignature = sampleArtifact('of the signature', signature.descriptor)
      await pushSample(store, REPOSITORY, onSignature)
      expect(await store.referrers(REPOSITORY, signature.manifest.digest)).toMatchObject([
        onSignature.descriptor,
      ])
    })

    test('all tags of a repository are listed, each once', async () => {
      const image = sampleImage('many tags')
      await pushSample(store, REPOSITORY, image)
      const tags = Array.from({ length: 120 }, (_, index) => `v${String(index).padStart(4, '0')}`)
      await Promise.all(tags.map((tag) => store.putManifest(REPOSITORY, tag, image.manifest)))
      expect((await all(store.tags(REPOSITORY))).toSorted()).toEqual(tags)
    })

    test('all repositories are listed, each once', async () => {
      const names = Array.from({ length: 12 }, (_, index) => `group${index}/app/part`)
      const image = sampleImage('many repositories')
      for (const repository of names) await pushSample(store, repository, image, 'v1')
      expect((await all(store.repositories())).toSorted()).toEqual(names.toSorted())
    })

    test('a second push of the same changes nothing', async () => {
      const image = sampleImage('twice')
      for (let round = 0; round < 2; round += 1) await pushSample(store, REPOSITORY, image, 'v1')
      expect(await store.manifest(REPOSITORY, 'v1')).toEqual(image.manifest)
      expect(await all(store.tags(REPOSITORY))).toEqual(['v1'])
    })

    test('a tag moves, and what it named is still there by digest', async () => {
      const [before, after] = [sampleImage('before'), sampleImage('after')]
      await pushSample(store, REPOSITORY, before, 'latest')
      await pushSample(store, REPOSITORY, after, 'latest')
      expect(await store.manifest(REPOSITORY, 'latest')).toEqual(after.manifest)
      expect(await store.manifest(REPOSITORY, before.manifest.digest)).toEqual(before.manifest)
    })

    test('a tag is deleted for the digest that it names, once, and no other tag with it', async () => {
      const [going, staying] = [sampleImage('going'), sampleImage('staying')]
      await pushSample(store, REPOSITORY, going, 'going')
      await pushSample(store, REPOSITORY, staying, 'staying')
      const remove = (digest: string) => store.deleteTag(REPOSITORY, 'going', digest, { manifestMayGo: true })
      await expect(remove(staying.manifest.digest)).rejects.toMatchObject({ code: 'TAG_CONFLICT' })
      expect(await store.manifest(REPOSITORY, 'going')).toEqual(going.manifest)
      expect(await remove(going.manifest.digest)).toBe('deleted')
      expect(await store.head(REPOSITORY, 'going')).toBeUndefined()
      expect(await all(store.tags(REPOSITORY))).toEqual(['staying'])
      expect(await store.manifest(REPOSITORY, 'staying')).toEqual(staying.manifest)
      expect(await remove(going.manifest.digest)).toBe('absent')
      expect(await store.deleteTag('no/such', 'going', going.manifest.digest)).toBe('absent')
      await pushSample(store, REPOSITORY, going, 'going')
      expect(await store.manifest(REPOSITORY, 'going')).toEqual(going.manifest)
    })

    test('a tag whose manifest has to stay is deleted alone or not at all', async () => {
      const image = sampleImage('two names')
      const { digest } = image.manifest
      for (const tag of ['one', 'other']) await pushSample(store, REPOSITORY, image, tag)
      const outcome = await store.deleteTag(REPOSITORY, 'one', digest).catch((error: unknown) => error)
      expect(outcome === 'deleted' || isCarryallError(outcome, 'REG_REFUSED')).toBe(true)
      expect(await all(store.tags(REPOSITORY))).toEqual(outcome === 'deleted' ? ['other'] : ['one', 'other'])
      for (const reference of ['other', digest])
        expect(await store.manifest(REPOSITORY, reference)).toEqual(image.manifest)
    })

    test('nothing but a tag is deleted as one', async () => {
      const image = sampleImage('no tag')
      await pushSample(store, REPOSITORY, image, 'v1')
      const { digest } = image.manifest
      expect(await store.deleteTag(REPOSITORY, digest, digest, { manifestMayGo: true })).toBe('absent')
      expect(await store.manifest(REPOSITORY, 'v1')).toEqual(image.manifest)
    })

    test('one blob pushed by several at once ends well', async () => {
      const blob = sampleBlob({ seed: 'at once', size: 200_000 })
      await Promise.all(
        ['a', 'b', 'c', 'd'].map((repository) => store.putBlob(repository, blob.descriptor, blob.open)),
      )
      await store.putBlob(REPOSITORY, blob.descriptor, blob.open, { mountFrom: 'a' })
      expect((await read(blob.descriptor)).equals(blob.bytes)).toBe(true)
    })

    test('an aborted read ends with the reason', async () => {
      const blob = sampleBlob({ seed: 'aborted', size: 8 * 1024 * 1024 })
      await store.putBlob(REPOSITORY, blob.descriptor, blob.open)
      const controller = new AbortController()
      const reading = async (): Promise<void> => {
        for await (const chunk of store.blob(REPOSITORY, blob.descriptor, 0, controller.signal)) {
          if (chunk.length > 0) controller.abort(new Error('enough'))
        }
      }
      await expect(reading()).rejects.toThrow('enough')
    })
  })
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

function neverOpened(): never {
  throw new Error('The blob was opened, though it is there')
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}

async function* broken(bytes: Buffer, error: Error): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
  throw error
}

function byDigest(one: { readonly digest: string }, other: { readonly digest: string }): number {
  return one.digest < other.digest ? -1 : 1
}
