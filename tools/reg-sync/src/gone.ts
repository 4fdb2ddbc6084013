import type { Source } from '@carryall/oci'

/** True for a tag that was listed and is in no list any more: somebody has deleted it since. */
export type Gone = (repository: string, tag: string) => Promise<boolean>

/** Lists the tags of a repository once more where one of them does not answer: one that is still listed is damaged, not gone. */
export function goneFrom(source: Source, signal: AbortSignal): Gone {
  const lists = new Map<string, Promise<ReadonlySet<string>>>()
  return async (repository, tag) => {
    const known =
      lists.get(repository) ?? Array.fromAsync(source.tags(repository, signal)).then((tags) => new Set(tags))
    lists.set(repository, known)
    return !(await known).has(tag)
  }
}
