import { expect } from 'vitest'
import type { Checks } from './check.ts'
import { locationOf, sha256, type Answer } from './client.ts'
import { descriptorOf, IMAGE, INDEX, printed, type Described, type Repository } from './repository.ts'

// In the order of their bytes, and pushed in another.
const TAGS = ['1.0', '1.10', '1.2', 'A', 'Z', '_', 'a', 'latest', 'z']
const TYPES = ['application/vnd.example.a', 'application/vnd.example.b']

interface Referrer extends Described {
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

async function withTags(repository: Repository): Promise<void> {
  const image = await repository.image()
  for (const tag of TAGS.toReversed()) await repository.pushManifest(image, tag)
}

function tagsOf({ status, body }: Answer, repository: Repository): string[] {
  expect(status).toBe(200)
  const { name, tags } = JSON.parse(body.toString()) as { name: string; tags: string[] | null }
  expect(name).toBe(repository.name)
  return tags ?? []
}

/** Address of the next page, if there is one. */
function next(answer: Answer): URL | undefined {
  const [, target] = /^<([^>]*)>; *rel="?next"?$/.exec([answer.headers.link ?? ''].flat().join()) ?? []
  return target === undefined ? undefined : locationOf({ ...answer, headers: { location: target } })
}

async function follow<T>(repository: Repository, path: string, read: (page: Answer) => T[]): Promise<T[][]> {
  const pages: T[][] = []
  let answer = await repository.call('GET', path)
  for (;;) {
    pages.push(read(answer))
    const more = next(answer)
    if (more === undefined) return pages
    answer = await repository.client.call('GET', more)
  }
}

function referrersOf({ status, headers, body }: Answer): Referrer[] {
  expect([status, headers['content-type']]).toEqual([200, INDEX])
  const list = JSON.parse(body.toString()) as {
    schemaVersion: number
    mediaType: string
    manifests: Referrer[]
  }
  expect([list.schemaVersion, list.mediaType]).toEqual([2, INDEX])
  return list.manifests
}

async function referrers(repository: Repository, digest: string): Promise<Referrer[]> {
  return (await follow(repository, `referrers/${digest}`, referrersOf)).flat()
}

/** An image with something of every kind that refers to it. */
async function referred(repository: Repository): Promise<{ digest: string; expected: Referrer[] }> {
  const pushed = await repository.pushManifest(await repository.image(), 'v1')
  const subject = descriptorOf(pushed)
  const annotations = { 'org.example.note': 'here', 'org.example.more': '' }
  const expected: Referrer[] = []
  for (const [value, artifactType] of [
    [await repository.artifact(TYPES[0]!, { subject, annotations }), TYPES[0]],
    [await repository.artifact(TYPES[1]!, { subject, annotations }), TYPES[1]],
    [await repository.image({ subject }), 'application/vnd.oci.image.config.v1+json'],
    [
      await repository.artifact(TYPES[0]!, { subject, artifactType: '' }),
      'application/vnd.oci.empty.v1+json',
    ],
    [{ schemaVersion: 2, mediaType: INDEX, artifactType: TYPES[0], manifests: [], subject }, TYPES[0]],
    [{ schemaVersion: 2, mediaType: INDEX, manifests: [], subject, annotations }, undefined],
  ] as const) {
    const described = descriptorOf(await repository.pushManifest(value))
    expected.push({
      ...described,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...('annotations' in value ? { annotations } : {}),
    })
  }
  return { digest: pushed.digest, expected }
}

const byDigest = (list: readonly Referrer[]): Referrer[] =>
  list.toSorted((one, other) => (one.digest < other.digest ? -1 : 1))

/** distribution-spec: content discovery (end-8a, end-8b, end-12a, end-12b). */
export const discoveryChecks: Checks = {
  'tags, sorted': async (repository) => {
    await withTags(repository)
    expect((await follow(repository, 'tags/list', (page) => tagsOf(page, repository))).flat()).toEqual(TAGS)
  },

  'some tags at a time': async (repository) => {
    await withTags(repository)
    for (const size of [1, 2, 4, TAGS.length, 500]) {
      const pages = await follow(repository, `tags/list?n=${size}`, (page) => tagsOf(page, repository))
      expect(pages.flat()).toEqual(TAGS)
      for (const page of pages.slice(0, -1)) expect(page.length).toBeLessThanOrEqual(size)
      if (size < TAGS.length) expect(pages.length).toBeGreaterThan(1)
    }
  },

  'tags after another, whether that is there or not': async (repository) => {
    await withTags(repository)
    const list = async (query: string) =>
      tagsOf(await repository.call('GET', `tags/list?${query}`), repository)
    expect(await list('last=A')).toEqual(TAGS.slice(4))
    expect(await list('last=B')).toEqual(TAGS.slice(4))
    expect(await list('n=2&last=1.0')).toEqual(['1.10', '1.2'])
    expect(await list('last=z')).toEqual([])
  },

  'no tags at all where none are wanted': async (repository) => {
    await withTags(repository)
    const answer = await repository.call('GET', 'tags/list?n=0')
    expect([tagsOf(answer, repository), next(answer)]).toEqual([[], undefined])
  },

  'a number of tags that is none': async (repository) => {
    await withTags(repository)
    for (const n of ['-1', 'x', '1.5'])
      expect((await repository.call('GET', `tags/list?n=${n}`)).status).toBe(400)
  },

  'tags of what is no repository': async (repository) => {
    expect((await repository.call('GET', 'tags/list')).status).toBe(404)
  },

  'a repository without tags': async (repository) => {
    await repository.pushManifest(await repository.image())
    expect(tagsOf(await repository.call('GET', 'tags/list'), repository)).toEqual([])
  },

  'no referrers': async (repository) => {
    for (const digest of [
      sha256('never pushed'),
      (await repository.pushManifest(await repository.image())).digest,
    ])
      expect(await referrers(repository, digest)).toEqual([])
  },

  'referrers of a digest that is none': async (repository) => {
    expect((await repository.call('GET', 'referrers/sha256:short')).status).toBe(400)
    expect((await repository.call('GET', 'referrers/latest')).status).toBe(400)
  },

  'all referrers': async (repository) => {
    const { digest, expected } = await referred(repository)
    expect(byDigest(await referrers(repository, digest))).toEqual(byDigest(expected))
  },

  'referrers of one type': async (repository) => {
    const { digest, expected } = await referred(repository)
    for (const type of [...TYPES, 'application/vnd.example.none']) {
      const answer = await repository.call(
        'GET',
        `referrers/${digest}?artifactType=${encodeURIComponent(type)}`,
      )
      expect(answer.headers['oci-filters-applied']).toBe('artifactType')
      expect(byDigest(referrersOf(answer))).toEqual(
        byDigest(expected.filter(({ artifactType }) => artifactType === type)),
      )
    }
  },

  'more referrers than one answer holds': async (repository) => {
    const subject = descriptorOf(await repository.pushManifest(await repository.image()))
    const digests: string[] = []
    for (let each = 0; each < 5; each++) {
      const annotations = { large: String(each).repeat(1024 * 1024) }
      const value = await repository.artifact(TYPES[each % 2]!, { subject, annotations })
      digests.push((await repository.pushManifest(value)).digest)
    }
    const read = (page: Answer) => {
      expect(page.body.length).toBeLessThanOrEqual(4 * 1024 * 1024)
      return referrersOf(page).map((each) => each.digest)
    }
    const pages = await follow(repository, `referrers/${subject.digest}`, read)
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.flat().sort()).toEqual(digests.sort())
    const typed = `referrers/${subject.digest}?artifactType=${encodeURIComponent(TYPES[0]!)}`
    expect((await follow(repository, typed, read)).flat()).toHaveLength(3)
  },

  'a referrer in another repository is none': async (repository) => {
    const { digest } = await referred(repository)
    const answer = await repository.client.call('GET', `/v2/conformance/elsewhere/referrers/${digest}`)
    expect(referrersOf(answer)).toEqual([])
  },

  'referrers that came by the fallback tag': async (repository) => {
    const subject = descriptorOf(await repository.pushManifest(await repository.image()))
    const artifact = printed(await repository.artifact(TYPES[0]!, { subject }))
    await repository.putManifest(artifact.digest, artifact)
    const entry = {
      mediaType: IMAGE,
      digest: artifact.digest,
      size: artifact.bytes.length,
      artifactType: TYPES[0],
    }
    const fallback = { schemaVersion: 2, mediaType: INDEX, manifests: [entry] }
    await repository.pushManifest(fallback, subject.digest.replace(':', '-'))
    expect(await referrers(repository, subject.digest)).toEqual([entry])
  },
}
