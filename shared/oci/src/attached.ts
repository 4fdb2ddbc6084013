import { cosignTagsOf } from './cosign-tag.ts'
import { fewTags } from './few-tags.ts'
import type { Source } from './store.ts'

/** Something attached to an image: by tag in cosign's way, or by its `subject` alone. */
export interface Attachment {
  readonly digest: string
  readonly tag?: string
  /** What it is attached to: the image, or another attachment. */
  readonly subject: string
}

const MAX_DEPTH = 4

/**
 * Finds what is attached to a digest: cosign's tags `sha256-<hex>.sig|.att|.sbom` and the OCI referrers, with what is
 * attached to those in turn; each once, in a stable order. A repository with few tags is listed once, and no tag is asked
 * for that is not in the list.
 */
export function attachmentFinder(
  source: Source,
): (repository: string, digest: string, signal?: AbortSignal) => Promise<readonly Attachment[]> {
  const lists = new Map<string, Promise<ReadonlySet<string> | undefined>>()
  const tagsOf = (repository: string, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> => {
    const known = lists.get(repository) ?? fewTags(source, repository, signal)
    lists.set(repository, known)
    return known
  }

  const collect = async (
    found: Map<string, Attachment>,
    repository: string,
    digest: string,
    signal: AbortSignal | undefined,
    depth: number,
  ): Promise<void> => {
    if (depth >= MAX_DEPTH) return
    const all = await tagsOf(repository, signal)
    const tags = cosignTagsOf(digest).filter((tag) => all?.has(tag) ?? true)
    const [referrers, ...tagged] = await Promise.all([
      source.referrers(repository, digest, signal, all),
      ...tags.map((tag) => source.head(repository, tag, signal)),
    ])
    const fresh: Attachment[] = []
    tagged.forEach((head, index) => {
      if (head !== undefined) fresh.push({ digest: head.digest, tag: tags[index]!, subject: digest })
    })
    for (const referrer of referrers) fresh.push({ digest: referrer.digest, subject: digest })
    for (const one of fresh.filter(({ tag, digest: own }) => !found.has(tag ?? own))) {
      found.set(one.tag ?? one.digest, one)
      await collect(found, repository, one.digest, signal, depth + 1)
    }
  }

  return async (repository, digest, signal) => {
    const found = new Map<string, Attachment>()
    await collect(found, repository, digest, signal, 0)
    return [...found.values()]
  }
}
