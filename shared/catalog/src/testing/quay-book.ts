import { glob } from '../glob.ts'
import type { FakeBase } from './fake-server.ts'
import type { QuayState } from './quay.ts'
import type { PastTag, RegistryFiles, StoredTag } from './registry-files.ts'
import { storedImage } from './stored-image.ts'

const EXPIRES = /^(\d+)([smhdw])$/
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

export interface QuayTag extends StoredTag {
  /** When it ends, or has ended. */
  readonly until: Date | undefined
  readonly immutable: boolean
}

/** What Quay knows of repositories and tags besides their content. */
export interface QuayBook {
  readonly states: Map<string, QuayState>
  /** Without content, too: a token for a push makes a repository. */
  readonly made: Set<string>
  readonly isPublic: Set<string>
  readonly descriptions: Map<string, string>
  /** In bytes, by namespace. */
  readonly quotas: Map<string, number>
  repositories(): readonly string[]
  has(repository: string): boolean
  alive(repository: string): readonly QuayTag[]
  /** What is no more: moved, deleted, expired. */
  dead(repository: string): readonly QuayTag[]
  setImmutable(repository: string, glob: string): void
  expire(repository: string, tag: string, time: Date | undefined): void
  remove(repository: string, tag: string): void
  /** Labels of an image count when it is pushed, for the tag that it is pushed to. */
  pushed(repository: string, tag: string): void
  /** Takes out what no tag holds: manifests without a tag, and blobs, live for an hour after their push. */
  passGrace(): void
  /** Bytes of the namespace's layers. */
  used(namespace: string): number
}

export function quayBook({ files }: FakeBase): QuayBook {
  const immutable: { readonly repository: string; readonly matches: (tag: string) => boolean }[] = []
  const ends = new Map<string, Date>()
  const removed = new Map<string, PastTag[]>()
  const made = new Set<string>()
  const key = (repository: string, tag: string) => `${repository}:${tag}`

  const all = (repository: string): readonly QuayTag[] =>
    files.tags(repository).map((tag) => ({
      ...tag,
      until: ends.get(key(repository, tag.name)),
      immutable: immutable.some((rule) => rule.repository === repository && rule.matches(tag.name)),
    }))
  const isAlive = ({ until }: QuayTag) => until === undefined || until.getTime() > Date.now()

  const book: QuayBook = {
    states: new Map(),
    made,
    isPublic: new Set(),
    descriptions: new Map(),
    quotas: new Map(),
    repositories: () => [...new Set([...files.repositories(), ...made])].toSorted(),
    has: (repository) => made.has(repository) || files.has(repository),
    alive: (repository) => all(repository).filter(isAlive),
    dead: (repository) => [
      ...all(repository).filter((tag) => !isAlive(tag)),
      ...[...files.past(repository), ...(removed.get(repository) ?? [])].map((tag) => ({
        ...tag,
        immutable: false,
      })),
    ],
    setImmutable: (repository, pattern) => void immutable.push({ repository, matches: glob(pattern) }),
    expire: (repository, tag, time) => {
      if (time) ends.set(key(repository, tag), time)
      else ends.delete(key(repository, tag))
    },
    remove: (repository, name) => {
      const past = files.past(repository).filter((tag) => tag.name === name)
      const now = files.tags(repository).filter((tag) => tag.name === name)
      const ended = [...past, ...now.map((tag) => ({ ...tag, until: new Date() }))]
      removed.set(repository, [...(removed.get(repository) ?? []), ...ended])
      files.untag(repository, name)
    },
    pushed: (repository, name) => {
      book.expire(repository, name, undefined)
      const tag = files.tags(repository).find((each) => each.name === name)
      const labels = tag && storedImage(files, tag.digest).config()?.config?.Labels
      const [, count, unit] = EXPIRES.exec(labels?.['quay.expires-after'] ?? '') ?? []
      if (count && unit)
        book.expire(repository, name, new Date(Date.now() + Number(count) * SECONDS[unit]! * 1000))
      if (labels?.['quay.immutable'] === 'true') book.setImmutable(repository, name)
    },
    passGrace: () => {
      for (const repository of files.repositories()) {
        const subjects = files
          .manifests(repository)
          .filter(({ digest }) => storedImage(files, digest).json.subject !== undefined)
        const held = [...files.tags(repository), ...subjects].flatMap(({ digest }) => closure(files, digest))
        files.keepOnly(repository, new Set(held))
      }
    },
    used: (namespace) => {
      const below = files.repositories().filter((name) => name.startsWith(`${namespace}/`))
      const digests = new Set(below.flatMap((name) => files.manifests(name).map(({ digest }) => digest)))
      return [...digests].reduce((sum, digest) => sum + (storedImage(files, digest).layersSize ?? 0), 0)
    },
  }
  return book
}

/** A manifest with all that it names. */
function closure(files: RegistryFiles, digest: string): readonly string[] {
  const { config, layers = [], manifests = [] } = storedImage(files, digest).json
  const blobs = [...(config ? [config] : []), ...layers].map((blob) => blob.digest)
  return [digest, ...blobs, ...manifests.flatMap((child) => closure(files, child.digest))]
}
