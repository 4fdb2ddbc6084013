import { CarryallError, isCarryallError, type Subject } from '@carryall/errors'
import { limit, type Limit } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'
import { MAX_MANIFEST, parseManifest } from '../manifest.ts'
import { INDEX_TYPES, isIndexType } from '../media-types.ts'
import type { Manifest } from '../store.ts'
import type { Connection } from './connection.ts'
import { digestOf, getManifest, subjectOf } from './manifests.ts'
import { accessTo, repositoryPath } from './names.ts'
import { pages } from './pages.ts'
import { referrerOf, sendManifest } from './put-manifest.ts'
import { refused, registryError } from './refusal.ts'

const INDEX = INDEX_TYPES[0]
const NO_API = new Set([400, 403, 404, 405, 406, 501])
const NO_CONTENT = new Set(['NAME_UNKNOWN', 'MANIFEST_UNKNOWN'])

/** The referrers of one registry: its API, or the tag `sha256-<hex>` where it has none. */
export interface Referrers {
  list(
    repository: string,
    digest: string,
    signal?: AbortSignal,
    tags?: ReadonlySet<string>,
  ): Promise<readonly Descriptor[]>
  /** After a manifest with a subject was taken by a registry that did not say `OCI-Subject`. */
  record(repository: string, manifest: Manifest, signal?: AbortSignal): Promise<void>
}

/** Remembers whether the registry has the API, which one asks for all, and lets one writer at a time change a fallback tag. */
export function referrers(registry: Connection): Referrers {
  let hasApi: boolean | undefined
  let first: Promise<unknown> | undefined
  const writers = new Map<string, { readonly turn: Limit; users: number }>()

  const byApi = async (
    repository: string,
    digest: string,
    signal?: AbortSignal,
  ): Promise<readonly Descriptor[] | undefined> => {
    const found = new Map<string, Descriptor>()
    let missing = false
    const read = (bytes: Buffer) => {
      const { manifests } = parseManifest(bytes, INDEX)
      for (const entry of manifests) found.set(entry.digest, entry)
      return manifests.map((entry) => entry.digest)
    }
    const request = {
      method: 'GET',
      path: `${repositoryPath(registry.host, repository)}/referrers/${digest}`,
      access: accessTo(registry.host, repository, 'pull'),
      headers: { accept: INDEX },
      ...(signal ? { signal } : {}),
    } as const
    const all = pages(registry, request, read, async (answer) => {
      const said = await registryError(answer)
      if (!NO_API.has(answer.status)) {
        throw refused(
          answer,
          said,
          `list the referrers of ${digest}`,
          subjectOf(registry, repository, digest),
        )
      }
      missing = true
      // A registry that knows the way but not the repository may well have the API.
      if (answer.status !== 403 && !NO_CONTENT.has(said.code ?? '')) hasApi = false
    })
    for await (const _ of all);
    if (missing) return undefined
    hasApi = true
    return [...found.values()]
  }

  const readTag = async (
    repository: string,
    digest: string,
    signal?: AbortSignal,
  ): Promise<Manifest | undefined> => {
    try {
      return await getManifest(registry, repository, fallbackTag(digest), signal)
    } catch (error) {
      if (isCarryallError(error, 'REG_MANIFEST_UNKNOWN')) return undefined
      throw error
    }
  }

  const byTag = async (
    repository: string,
    digest: string,
    signal?: AbortSignal,
  ): Promise<readonly Descriptor[]> => {
    const found = await readTag(repository, digest, signal)
    // Where the image itself has that tag, as oc-mirror gives it to what is named by a digest, its children are no referrers.
    if (found?.digest === digest) return []
    return found && isIndexType(found.mediaType) ? parseManifest(found.bytes, found.mediaType).manifests : []
  }

  const add = async (repository: string, subject: string, entry: Descriptor, signal?: AbortSignal) => {
    const found = await readTag(repository, subject, signal)
    const tag = subjectOf(registry, repository, fallbackTag(subject))
    if (found?.digest === subject) throw takenByImage(registry, tag)
    const index = indexToExtend(found, () => tag)
    if (index.manifests.some(({ digest }) => digest === entry.digest)) return
    const bytes = Buffer.from(JSON.stringify({ ...index, manifests: [...index.manifests, entry] }))
    if (bytes.length > MAX_MANIFEST) throw tooMany(registry, repository, subject)
    const mediaType = found?.mediaType ?? INDEX
    await sendManifest(
      registry,
      repository,
      fallbackTag(subject),
      { digest: digestOf(bytes), mediaType, bytes },
      signal,
    )
  }

  return {
    list: async (repository, digest, signal, tags) => {
      if (first !== undefined) await first
      const asked = hasApi === false ? undefined : byApi(repository, digest, signal)
      first ??= asked?.catch(() => undefined)
      const listed = await asked
      if (listed !== undefined) return listed
      return tags?.has(fallbackTag(digest)) === false ? [] : byTag(repository, digest, signal)
    },

    record: async (repository, manifest, signal) => {
      const referrer = referrerOf(manifest)
      if (!referrer) return
      const key = `${repository}@${referrer.subject}`
      const writer = writers.get(key) ?? { turn: limit(1), users: 0 }
      writers.set(key, writer)
      writer.users += 1
      try {
        await writer.turn(() => add(repository, referrer.subject, referrer.entry, signal), signal)
      } finally {
        writer.users -= 1
        if (writer.users === 0) writers.delete(key)
      }
    },
  }
}

/** The tag under which referrers are kept without the API: the algorithm cut to 32 and the hex to 64 characters. */
export function fallbackTag(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':')
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`
}

interface RawIndex {
  readonly manifests: readonly { readonly digest: string }[]
}

// As it is written, so that keys of others which are not known here stay.
function indexToExtend(found: Manifest | undefined, subject: () => Subject): RawIndex {
  if (!found) return { schemaVersion: 2, mediaType: INDEX, manifests: [] } as RawIndex
  if (isIndexType(found.mediaType)) return JSON.parse(found.bytes.toString('utf8')) as RawIndex
  throw new CarryallError(
    'TAG_CONFLICT',
    `The tag for referrers is taken by a manifest of type ${found.mediaType}`,
    {
      subject: subject(),
      hint: 'Remove that tag, which is reserved by the distribution-spec, and run the same command again',
    },
  )
}

function takenByImage({ host }: Connection, subject: Subject): CarryallError {
  return new CarryallError(
    'TAG_CONFLICT',
    `${subject.name} is the image itself, so that what is attached to it cannot be listed there`,
    {
      subject,
      hint: `${host} has no referrers API: give the image a tag of its own (targetTag), or leave signatures behind`,
    },
  )
}

function tooMany(registry: Connection, repository: string, digest: string): CarryallError {
  return new CarryallError(
    'REG_REFUSED',
    `The referrers of ${digest} do not fit into one index of ${MAX_MANIFEST} bytes`,
    {
      subject: subjectOf(registry, repository, digest),
      hint: `${registry.host} has no referrers API; remove attachments that are no longer needed`,
    },
  )
}
