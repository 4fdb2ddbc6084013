import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Sample, SampleBlob } from '@carryall/oci/testing'
import type { Named } from './sample-set.ts'

const ROOT = 'docker/registry/v2'

/** Puts images into the storage of a docker-registry, as if they had been pushed (distribution: file system driver, version 2). */
export async function storeImages(storage: string, images: readonly Required<Named>[]): Promise<void> {
  const files = new Map<string, string | Buffer>()
  for (const { repository, tag, sample } of images) {
    addTree(files, repository, sample)
    const { digest } = sample.manifest
    files.set(inRepository(repository, '_manifests/tags', tag, 'current/link'), digest)
    files.set(inRepository(repository, '_manifests/tags', tag, 'index', linkOf(digest)), digest)
  }
  const directories = new Set([...files.keys()].map((path) => dirname(path)))
  await Promise.all([...directories].map((path) => mkdir(join(storage, ROOT, path), { recursive: true })))
  await Promise.all([...files].map(([path, content]) => writeFile(join(storage, ROOT, path), content)))
}

/** What each tag names in the storage of a docker-registry, by `repository:tag`, all or below a path. Asks nobody. */
export async function tagsIn(storage: string, below = ''): Promise<Readonly<Record<string, string>>> {
  const repositories = join(storage, ROOT, 'repositories')
  const found: [string, string][] = []
  const walk = async (name: string): Promise<void> => {
    for (const entry of await readdir(join(repositories, name)).catch(() => [])) {
      if (entry === '_manifests') found.push(...(await tagsOf(repositories, name)))
      else if (!entry.startsWith('_')) await walk(join(name, entry))
    }
  }
  await walk(below)
  return Object.fromEntries(found.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** What is not in the storage of a docker-registry that belongs to an image, or has other bytes there. Asks nobody. */
export async function lacking(storage: string, { repository, sample }: Named): Promise<readonly string[]> {
  const files = new Map<string, string | Buffer>()
  addTree(files, repository, sample)
  const wrong = await Promise.all(
    [...files].map(async ([path, content]) => {
      const bytes = await readFile(join(storage, ROOT, path)).catch(() => undefined)
      return bytes?.equals(Buffer.from(content)) === true ? [] : [path]
    }),
  )
  return wrong.flat()
}

function addTree(files: Map<string, string | Buffer>, repository: string, sample: Sample): void {
  const { digest, bytes } = sample.manifest
  files.set(dataOf(digest), bytes)
  files.set(inRepository(repository, '_manifests/revisions', linkOf(digest)), digest)
  for (const blob of sample.blobs) addBlob(files, repository, blob)
  for (const child of sample.children) addTree(files, repository, child)
}

function addBlob(files: Map<string, string | Buffer>, repository: string, blob: SampleBlob): void {
  const { digest } = blob.descriptor
  files.set(dataOf(digest), blob.bytes)
  files.set(inRepository(repository, '_layers', linkOf(digest)), digest)
}

function inRepository(repository: string, ...parts: readonly string[]): string {
  return join('repositories', repository, ...parts)
}

function dataOf(digest: string): string {
  const hex = digest.slice('sha256:'.length)
  return join('blobs/sha256', hex.slice(0, 2), hex, 'data')
}

function linkOf(digest: string): string {
  return join(digest.replace(':', '/'), 'link')
}

async function tagsOf(repositories: string, name: string): Promise<[string, string][]> {
  const tags = join(repositories, name, '_manifests/tags')
  const names = await readdir(tags).catch(() => [])
  return Promise.all(
    names.map(async (tag) => {
      const digest = await readFile(join(tags, tag, 'current/link'), 'utf8')
      return [`${name}:${tag}`, digest.trim()] as [string, string]
    }),
  )
}
