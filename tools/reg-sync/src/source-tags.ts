import { fewTags, type Source } from '@carryall/oci'
import { byRepository } from './by-repository.ts'
import type { SourceList } from './list-source.ts'

/** All tags of a repository of the source; undefined where they are too many to ask for, or not told. */
export type SourceTags = (repository: string) => Promise<ReadonlySet<string> | undefined>

/** From the list of the source where it has all of them, also those of cosign; else asked for, once for each repository. */
export function sourceTags(
  { images, whole, hidesAttached }: SourceList,
  source: Source,
  signal: AbortSignal,
): SourceTags {
  const listed = byRepository(images)
  const asked = new Map<string, ReturnType<SourceTags>>()
  const ask: SourceTags = async (repository) =>
    whole && !hidesAttached ? new Set(listed.get(repository)?.keys()) : fewTags(source, repository, signal)
  return (repository) => {
    const known = asked.get(repository) ?? ask(repository)
    asked.set(repository, known)
    return known
  }
}
