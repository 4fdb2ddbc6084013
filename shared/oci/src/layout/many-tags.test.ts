import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openArchive } from '../archive-store/open-archive.ts'
import type { Source } from '../store.ts'
import { openLayout } from './open-layout.ts'

const COUNT = 5000
// Once over index.json for each of them is a hundred times as much.
const LIMIT_MS = 15_000
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'

let directory: string
const digests: string[] = []
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'many-tags-'))
  const blobs = join(directory, 'app', 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const put = async (mediaType: string, value: object) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value }))
    const digest = `sha256:${hash('sha256', bytes)}`
    await writeFile(join(blobs, digest.slice(7)), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: `sha256:${'0'.repeat(64)}`,
    size: 2,
  }
  const images = []
  for (let at = 0; at < COUNT; at += 1)
    images.push(await put(IMAGE, { config, layers: [], annotations: { number: String(at) } }))
  digests.push(...images.map(({ digest }) => digest))
  const name = (text: string) => ({ 'org.opencontainers.image.ref.name': text })
  const manifests = [
    ...images.map((image, at) => ({ ...image, annotations: name(`a:v${at}`) })),
    { ...(await put(INDEX, { manifests: images })), annotations: name('b:all') },
  ]
  await writeFile(join(directory, 'app', 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  await writeFile(join(directory, 'app', 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await promisify(execFile)('tar', ['-cf', join(directory, 'app.tar'), '-C', join(directory, 'app'), '.'])
})
afterAll(() => rm(directory, { recursive: true }))

test.each<[string, () => Promise<Source & { close(): Promise<void> }>]>([
  ['layout', () => openLayout(join(directory, 'app'))],
  ['archive', () => openArchive(join(directory, 'app.tar'))],
])('5,000 tags of a %s, and as many parts of an index, are found at once', async (_what, open) => {
  const source = await open()
  const started = performance.now()
  const found = new Set<string>()
  for await (const tag of source.tags('a')) found.add((await source.head('a', tag))!.digest)
  expect(found).toEqual(new Set(digests))
  for (const digest of digests) expect((await source.head('b', digest))?.digest).toBe(digest)
  for (const digest of digests) expect(await source.referrers('a', digest)).toEqual([])
  expect(performance.now() - started).toBeLessThan(LIMIT_MS)
  await source.close()
})
