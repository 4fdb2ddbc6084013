import { selectTags, type ListedImage } from '@carryall/catalog'
import { isCosignTag, isReferrersTag } from '@carryall/oci'
import { isBackupTag } from './backup-tag.ts'
import type { Listed } from './by-repository.ts'
import type { SourceList } from './list-source.ts'
import type { Findings } from './make-plan.ts'
import { destinationOf, isExplicit, type Pair } from './pairs.ts'
import { sideOf } from './survey.ts'

/** What is extra cannot be told where the newest are taken only, or single images: at the source there are others, too. */
export function knowsExtra(pair: Pair): boolean {
  return pair.tags?.newest === undefined && pair.tags?.changed_since === undefined && !isExplicit(pair)
}

/** Tags of the destination that the source does not have, and that no filter leaves out. */
export function findExtra(
  pair: Pair,
  { images, hidesAttached }: SourceList,
  there: Listed,
  now: Date,
): Findings['extra'] {
  const { registry } = pair.destination
  const expected = new Map<string, Set<string>>()
  for (const { repository, tag } of images) {
    const name = destinationOf(pair, repository)
    const tags = expected.get(name) ?? new Set<string>()
    expected.set(name, tags)
    if (tag !== undefined) tags.add(tag)
  }
  const isOurs = (tag: string): boolean =>
    !isReferrersTag(tag) && !isKept(pair, tag) && !(isCosignTag(tag) && (hidesAttached || !pair.attachments))
  const extra: ListedImage[] = []
  for (const [repository, tags] of there)
    for (const [tag, digest] of tags)
      if (expected.get(repository)?.has(tag) !== true && isOurs(tag))
        extra.push({ registry, repository, tag, ...(digest === undefined ? {} : { digest }) })
  return selectTags(extra, pair.tags, now).map(({ repository, tag, digest }) => ({
    side: sideOf(registry, repository, tag),
    digest,
  }))
}

function isKept({ backup }: Pair, tag: string): boolean {
  return backup !== undefined && isBackupTag(backup, tag)
}
