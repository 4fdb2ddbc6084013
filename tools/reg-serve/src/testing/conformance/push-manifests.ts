import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Checks } from './check.ts'
import { codeOf, locationOf, sha256 } from './client.ts'
import { descriptorOf, EMPTY, IMAGE, INDEX, printed, type Repository } from './repository.ts'

const ABSENT = { mediaType: IMAGE, digest: sha256('never pushed'), size: 12 }
const LAYER = 'application/vnd.oci.image.layer'

/** Pushes a manifest by tag and by digest, and looks at what comes back. */
async function takes(repository: Repository, value: object): Promise<void> {
  const manifest = printed(value)
  for (const reference of ['v1', manifest.digest]) {
    const put = await repository.putManifest(reference, manifest)
    expect([put.status, put.headers['docker-content-digest'] ?? manifest.digest]).toEqual([
      201,
      manifest.digest,
    ])
    const accept = { headers: { accept: `${IMAGE}, ${INDEX}` } }
    const found = await repository.client.call('GET', locationOf(put), accept)
    expect(found.body.equals(manifest.bytes)).toBe(true)
    await repository.holds(`manifests/${reference}`, manifest)
  }
}

/** What is refused only because something in it is absent has to be refused with this code. */
async function takesOrSaysWhatIsAbsent(repository: Repository, value: object): Promise<void> {
  const put = await repository.putManifest('v1', printed(value))
  if (put.status === 201) return
  expect(put.status).toBeGreaterThanOrEqual(400)
  expect(codeOf(put)).toBe('MANIFEST_BLOB_UNKNOWN')
}

async function index(repository: Repository, more: object = {}): Promise<object> {
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ architecture, os: 'linux' }))
  const manifests = []
  for (const platform of platforms) {
    const child = await repository.pushManifest(await repository.image())
    manifests.push({ ...descriptorOf(child), platform })
  }
  return { schemaVersion: 2, mediaType: INDEX, manifests, ...more }
}

/** distribution-spec: pushing manifests (end-7a, end-7b). */
export const pushManifestChecks: Checks = {
  'an image': async (repository) => takes(repository, await repository.image()),
  'an image without layers': async (repository) => takes(repository, await repository.image({ layers: [] })),
  'an image with keys of its own': async (repository) =>
    takes(repository, await repository.image({ 'org.example.key': { deep: [1, 'zwei', null] } })),
  'an image with layers that are elsewhere': async (repository) => {
    const elsewhere = ['tar', 'tar+gzip'].map((kind) => ({
      mediaType: `${LAYER}.nondistributable.v1.${kind}`,
      digest: sha256(randomUUID()),
      size: 123_456,
      urls: ['https://store.example/layer'],
    }))
    const image = (await repository.image()) as { layers: object[] }
    await takes(repository, { ...image, layers: [...elsewhere, ...image.layers] })
  },
  'an image that brings its config along': async (repository) => {
    const config = Buffer.from('{}')
    const described = await repository.pushBlob(config, EMPTY)
    await takes(
      repository,
      await repository.image({ config: { ...described, data: config.toString('base64') } }),
    )
  },
  'an image of almost four megabytes': async (repository) => {
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, each) => [`large-${each}`, 'A'.repeat(10_000)]),
    )
    await takes(repository, await repository.image({ annotations }))
  },
  'an index': async (repository) => takes(repository, await index(repository)),
  'an index of indexes': async (repository) => {
    const inner = await repository.pushManifest(await index(repository))
    await takes(repository, { schemaVersion: 2, mediaType: INDEX, manifests: [descriptorOf(inner)] })
  },
  'an index of nothing': async (repository) =>
    takes(repository, { schemaVersion: 2, mediaType: INDEX, manifests: [] }),
  'an artifact': async (repository) =>
    takes(repository, await repository.artifact('application/vnd.example.a')),
  'an index that is an artifact': async (repository) =>
    takes(repository, await index(repository, { artifactType: 'application/vnd.example.a' })),

  'an image whose layer is absent': async (repository) =>
    takesOrSaysWhatIsAbsent(
      repository,
      await repository.image({ layers: [{ ...ABSENT, mediaType: `${LAYER}.v1.tar` }] }),
    ),
  'an index whose child is absent': async (repository) =>
    takesOrSaysWhatIsAbsent(repository, { schemaVersion: 2, mediaType: INDEX, manifests: [ABSENT] }),

  'a tag moves': async (repository) => {
    const before = await repository.pushManifest(await repository.image(), 'latest')
    const after = await repository.pushManifest(await repository.image(), 'latest')
    await repository.holds('manifests/latest', after)
    await repository.holds(`manifests/${before.digest}`, before)
  },

  'a media type with parameters': async (repository) => {
    const manifest = printed(await repository.image())
    const put = await repository.putManifest('v1', { ...manifest, mediaType: `${IMAGE}; charset=utf-8` })
    expect(put.status).toBe(201)
    await repository.holds('manifests/v1', manifest)
  },

  'bytes that are not those of the digest': async (repository) => {
    const { digest, ...manifest } = printed(await repository.image())
    const changed = { ...manifest, bytes: Buffer.concat([manifest.bytes, Buffer.from('  ')]) }
    expect((await repository.putManifest(digest, changed)).status).toBe(400)
    await repository.lacks(`manifests/${digest}`)
  },

  'a reference that is none': async (repository) => {
    const manifest = printed(await repository.image())
    for (const reference of ['sha256:baddigeststring', '-tag', '.tag', 'x'.repeat(129)])
      expect([400, 404]).toContain((await repository.putManifest(reference, manifest)).status)
  },

  'what is no manifest': async (repository) => {
    for (const body of ['', 'text', '[]', '{"schemaVersion":2}'])
      expect(
        (await repository.putManifest('v1', { bytes: Buffer.from(body), mediaType: IMAGE })).status,
      ).toBe(400)
    await repository.lacks('manifests/v1')
  },

  'a manifest beyond all limits': async (repository) => {
    const value = await repository.image({ annotations: { large: 'A'.repeat(9 * 1024 * 1024) } })
    expect((await repository.putManifest('v1', printed(value))).status).toBe(413)
  },

  'a digest with tags': async (repository) => {
    const manifest = printed(await repository.image())
    const tags = Array.from({ length: 10 }, (_, each) => `1.${each}`)
    const query = new URLSearchParams(tags.map((tag) => ['tag', tag])).toString()
    const put = await repository.putManifest(`${manifest.digest}?${query}`, manifest)
    expect(put.status).toBe(201)
    const named = [put.headers['oci-tag'] ?? ''].flat().join(',').split(',')
    expect(named.map((tag) => tag.trim()).sort()).toEqual(tags)
    for (const reference of [...tags, manifest.digest])
      await repository.holds(`manifests/${reference}`, manifest)
  },

  'a digest with a tag that is none': async (repository) => {
    const manifest = printed(await repository.image())
    expect((await repository.putManifest(`${manifest.digest}?tag=v1&tag=-`, manifest)).status).toBe(400)
    await repository.lacks('manifests/v1')
  },

  'a subject, also before it is there': async (repository) => {
    const subject = printed(await repository.image())
    const described = { mediaType: IMAGE, digest: subject.digest, size: subject.bytes.length }
    for (const value of [
      await repository.artifact('application/vnd.example.a', { subject: described }),
      await index(repository, { subject: described }),
    ]) {
      const manifest = printed(value)
      const put = await repository.putManifest(manifest.digest, manifest)
      expect([put.status, put.headers['oci-subject']]).toEqual([201, subject.digest])
    }
    await repository.putManifest('v1', subject)
    await repository.holds('manifests/v1', subject)
  },
}
