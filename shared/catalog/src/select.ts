import type { ListedImage } from './catalog.ts'
import { compileSelection, type Selected } from './compile-selection.ts'
import { below } from './namespace.ts'
import { newest } from './newest.ts'
import type { Selection } from './selection.ts'

/** Of one repository's images those that are wanted; all are read before the first is given where the newest are. */
export async function* selectImages(
  { image: isWanted, newest: count }: Selected,
  images: AsyncIterable<ListedImage>,
): AsyncGenerator<ListedImage, void, undefined> {
  const kept: ListedImage[] = []
  for await (const image of images) {
    if (!isWanted(image)) continue
    if (count === undefined) yield image
    else kept.push(image)
  }
  if (count !== undefined) yield* newest(kept, count)
}

/** The same for a list that is there already: repositories in the order of their first image. Throws CONFIG_INVALID, API_UNSUPPORTED. */
export function selectTags(
  images: readonly ListedImage[],
  tags: Selection['tags'],
  now: Date,
): readonly ListedImage[] {
  const { image: isWanted, newest: count } = compileSelection({ tags }, now)
  const wanted = images.filter((image) => isWanted(image))
  if (count === undefined) return wanted
  return [...Map.groupBy(wanted, ({ repository }) => repository).values()].flatMap((group) =>
    newest(group, count),
  )
}

/** Of repositories in or below `namespace` those that are wanted. */
export function selectRepositories(
  names: readonly string[],
  namespace: string,
  repositories: Selection['repositories'],
): readonly string[] {
  const selected = compileSelection({ repositories }, new Date(0))
  return names.filter((name) => selected.repository(below(namespace, name)))
}
