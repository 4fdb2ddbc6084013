import type { ListedImage } from '@carryall/catalog'

/** Tags by repository, with their digests where the list has them. */
export type Listed = ReadonlyMap<string, ReadonlyMap<string, string | undefined>>

/** A list by repository and tag. */
export function byRepository(images: readonly ListedImage[]): Listed {
  const found = new Map<string, Map<string, string | undefined>>()
  for (const { repository, tag, digest } of images) {
    const tags = found.get(repository) ?? new Map<string, string | undefined>()
    found.set(repository, tags)
    if (tag !== undefined) tags.set(tag, digest)
  }
  return found
}
