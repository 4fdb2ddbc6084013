import { basename, resolve } from 'node:path'
import { isRepository, isTag } from '@carryall/schemas'

/** image-spec: annotations. Holds the name of an entry of index.json. */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/** Where an entry of index.json belongs. Without a tag it is reachable by its digest only. */
export interface EntryName {
  readonly repository: string
  readonly tag?: string
}

/**
 * Takes the name of an entry apart: `repository:tag`, `repository@digest`, or a plain `tag`, which other tools write and
 * which belongs to the layout's `own` repository. An entry with no name, or one that is none of these, belongs there, too.
 */
export function readEntryName(name: string | undefined, digest: string, own: string): EntryName {
  if (name === undefined) return { repository: own }
  if (isTag(name)) return { repository: own, tag: name }
  const pinned = name.endsWith(`@${digest}`) ? name.slice(0, -digest.length - 1) : undefined
  if (pinned !== undefined && isRepository(pinned)) return { repository: pinned }
  const colon = name.lastIndexOf(':')
  const [repository, tag] = [name.slice(0, Math.max(colon, 0)), name.slice(colon + 1)]
  return isRepository(repository) && isTag(tag) ? { repository, tag } : { repository: own }
}

/** The name of an entry as it is written. */
export function entryName(repository: string, tag: string | undefined, digest: string): string {
  return tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`
}

/** The repository that plain tags of a layout belong to: its directory's name, made to fit the grammar. */
export function layoutRepository(directory: string): string {
  const name = basename(resolve(directory))
  if (isRepository(name)) return name
  const fitted = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return isRepository(fitted) ? fitted : 'layout'
}
