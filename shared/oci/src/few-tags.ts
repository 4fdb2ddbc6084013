import type { Source } from './store.ts'

// Up to here one list of tags is cheaper than asking for each tag that may be there.
const FEW = 1000

/** All tags of a repository; undefined where there are too many, or the registry does not list them. */
export async function fewTags(
  source: Source,
  repository: string,
  signal?: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const tags = new Set<string>()
  try {
    for await (const tag of source.tags(repository, signal)) if (tags.add(tag).size > FEW) return undefined
    return tags
  } catch (error) {
    if (signal?.aborted) throw error
    return undefined
  }
}
