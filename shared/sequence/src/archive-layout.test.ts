import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ImageLine } from '@carryall/schemas'
import { blobEntry, describedLayout, layOut, linkEntries } from './archive-layout.ts'

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
const GIB = 2 ** 30

function image(repository: string, tag: string | undefined, blobs: readonly string[]): ImageLine {
  const digest = digestOf(`manifest of ${repository}:${tag} ${blobs.join()}`)
  return {
    name: repository,
    repository,
    ...(tag === undefined ? {} : { tag }),
    digest,
    media_type: 'm',
    platforms: [],
    size_bytes: 1,
    manifests: [digest],
    blobs: [...blobs],
  }
}

test("makes the links of distribution's file system driver", () => {
  const [config, layer] = [digestOf('config'), digestOf('layer')]
  const app = image('team/app', '1.0', [config, layer])
  const hex = (digest: string): string => digest.slice(7)
  const repository = 'docker/registry/v2/repositories/team/app'
  expect(new Map(linkEntries([app]))).toEqual(
    new Map([
      [`${repository}/_layers/sha256/${hex(config)}/link`, config],
      [`${repository}/_layers/sha256/${hex(layer)}/link`, layer],
      [`${repository}/_manifests/revisions/sha256/${hex(app.digest)}/link`, app.digest],
      [`${repository}/_manifests/tags/1.0/current/link`, app.digest],
      [`${repository}/_manifests/tags/1.0/index/sha256/${hex(app.digest)}/link`, app.digest],
    ]),
  )
  expect(blobEntry(layer)).toBe(
    `docker/registry/v2/blobs/sha256/${hex(layer).slice(0, 2)}/${hex(layer)}/data`,
  )
})

test('puts manifests and configs first, then layers, each by digest', () => {
  const digests = ['a', 'b', 'c', 'd', 'e'].map(digestOf)
  const blobs = digests.map((digest, index) => ({ digest, size: 10 + index, media_type: 'x' }))
  const first = new Set(digests.slice(3))
  const { held } = layOut([image('app', 'v1', digests)], blobs, first, {})
  const order = [...held].sort((a, b) => a.offset - b.offset).map((blob) => blob.digest)
  expect(order).toEqual([...[...first].sort(), ...digests.slice(0, 3).sort()])
})

test('keeps each archive below its size, headers and all, and gives a larger blob one of its own', () => {
  const sizes = [GIB - 4096, 600_000_000, 700_000_000, 2 * GIB, 100]
  const blobs = sizes.map((size, index) => ({ digest: digestOf(String(index)), size, media_type: 'x' }))
  const { archives } = layOut([], blobs, new Set(), { archiveGiB: 1 })
  for (const archive of archives) expect(archive.size <= GIB || archive.entries.length === 1).toBe(true)
  expect(archives.flatMap((archive) => archive.entries)).toHaveLength(sizes.length)
  expect(archives.map((archive) => archive.name)).toEqual(
    archives.map((_, index) => `mirror_00000${index + 1}.tar`),
  )
  expect(() => layOut([], blobs, new Set(), { archiveGiB: 1, strict: true })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

test('the index alone describes the archives', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 900_000_000 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 12 }), (all, count) => {
      const blobs = all.map((size, index) => ({ digest: digestOf(`${index}`), size, media_type: 'x' }))
      const images = [
        image(
          'team/app',
          '1.0',
          blobs.map((blob) => blob.digest),
        ),
        image('team/sig', undefined, []),
      ]
      const { archives, held } = layOut(
        images,
        blobs,
        new Set(blobs.slice(0, count).map((blob) => blob.digest)),
        { archiveGiB: 1 },
      )
      const shuffled = [...held].sort((a, b) => (a.digest < b.digest ? 1 : -1))
      expect(
        describedLayout(
          images,
          shuffled,
          archives.map(({ name, size }) => ({ name, size_bytes: size })),
        ),
      ).toEqual(archives)
    }),
    { numRuns: 200 },
  )
})
