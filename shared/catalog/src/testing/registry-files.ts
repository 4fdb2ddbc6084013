import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

export interface StoredManifest {
  readonly digest: string
  /** When the repository got it. */
  readonly since: Date
}

export interface StoredTag extends StoredManifest {
  readonly name: string
}

/** What a tag stood for before it was moved. */
export interface PastTag extends StoredTag {
  readonly until: Date
}

/** What docker-registry keeps, read from its own files at each call: nothing is known twice, and nothing can be stale. */
export interface RegistryFiles {
  /** Names of those that have a manifest, sorted. */
  repositories(): readonly string[]
  has(repository: string): boolean
  /** Sorted by name. */
  tags(repository: string): readonly StoredTag[]
  /** What those tags stood for before. */
  past(repository: string): readonly PastTag[]
  /** All manifests of the repository, tagged or not. */
  manifests(repository: string): readonly StoredManifest[]
  /** The bytes of a manifest or config that has come. */
  bytes(digest: string): Buffer
  /** Bytes of an upload that have come until now; undefined where it is not open. */
  uploaded(repository: string, id: string): number | undefined
  /** Points a tag at a manifest of the repository, as a push would. */
  tag(repository: string, name: string, digest: string, time?: Date): void
  untag(repository: string, name: string): void
  /** Takes all manifests and blobs but these out of a repository. */
  keepOnly(repository: string, digests: ReadonlySet<string>): void
}

/** Opens the storage directory of a docker-registry (distribution: file system driver, version 2). */
export function registryFiles(storage: string): RegistryFiles {
  const root = join(storage, 'docker/registry/v2')
  const at = (repository: string, ...parts: readonly string[]) =>
    join(root, 'repositories', repository, ...parts)
  const tagsOf = (repository: string) => at(repository, '_manifests/tags')

  const current = (repository: string, name: string): readonly StoredTag[] =>
    link(join(tagsOf(repository), name, 'current/link')).map((found) => ({ name, ...found }))

  const past = (repository: string, name: string): readonly PastTag[] => {
    const index = join(tagsOf(repository), name, 'index/sha256')
    const all = [
      ...names(index).flatMap((hex) => link(join(index, hex, 'link'))),
      ...current(repository, name),
    ].toSorted((a, b) => a.since.getTime() - b.since.getTime())
    const now = current(repository, name)[0]?.digest
    return all.flatMap(({ digest, since }, order) =>
      digest === now ? [] : [{ name, digest, since, until: all[order + 1]?.since ?? since }],
    )
  }

  const walk = (below: string): readonly string[] =>
    names(at(below)).flatMap((part) => {
      if (part.startsWith('_')) return part === '_manifests' ? [below] : []
      return walk(join(below, part))
    })

  return {
    repositories: () =>
      walk('')
        .filter((name) => name !== '')
        .toSorted(),
    has: (repository) => existsSync(at(repository, '_manifests')),
    tags: (repository) => names(tagsOf(repository)).flatMap((name) => current(repository, name)),
    past: (repository) => names(tagsOf(repository)).flatMap((name) => past(repository, name)),
    manifests: (repository) => {
      const revisions = at(repository, '_manifests/revisions/sha256')
      return names(revisions).flatMap((hex) => link(join(revisions, hex, 'link')))
    },
    bytes: (digest) => {
      const hex = digest.slice('sha256:'.length)
      return readFileSync(join(root, 'blobs/sha256', hex.slice(0, 2), hex, 'data'))
    },
    uploaded: (repository, id) => {
      if (!existsSync(at(repository, '_uploads', id))) return undefined
      return statSync(at(repository, '_uploads', id, 'data'), { throwIfNoEntry: false })?.size ?? 0
    },
    tag: (repository, name, digest, time = new Date()) => {
      for (const place of ['current', `index/${digest.replace(':', '/')}`]) {
        const directory = join(tagsOf(repository), name, place)
        mkdirSync(directory, { recursive: true })
        writeFileSync(join(directory, 'link'), digest)
        utimesSync(join(directory, 'link'), time, time)
      }
    },
    untag: (repository, name) => rmSync(join(tagsOf(repository), name), { recursive: true, force: true }),
    keepOnly: (repository, digests) => {
      for (const kind of ['_manifests/revisions', '_layers']) {
        const directory = at(repository, kind, 'sha256')
        for (const hex of names(directory))
          if (!digests.has(`sha256:${hex}`)) rmSync(join(directory, hex), { recursive: true })
      }
    },
  }
}

function names(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).toSorted() : []
}

function link(file: string): readonly StoredManifest[] {
  if (!existsSync(file)) return []
  return [{ digest: readFileSync(file, 'utf8').trim(), since: statSync(file).mtime }]
}
