import { CarryallError } from '@carryall/errors'
import { isHost, isRepository } from '@carryall/schemas'

/** Where images go. */
export interface Target {
  /** As it was given. */
  readonly text: string
  readonly kind: 'registry' | 'layout'
  /** `host[:port]`, or the layout's directory. */
  readonly place: string
  /** Path in front of every repository; may be empty. */
  readonly prefix: string
}

/** Takes `docker://host[:port][/prefix]` or `oci:directory` apart. Throws USAGE_BAD_VALUE. */
export function parseTarget(text: string): Target {
  const layout = /^oci:(?:\/\/)?(.+)$/.exec(text)?.[1]
  if (layout !== undefined) return { text, kind: 'layout', place: layout, prefix: '' }
  const [, place, prefix = ''] = /^docker:\/\/([^/]+)(?:\/(.+?))?\/?$/.exec(text) ?? []
  if (place === undefined || !isHost(place) || (prefix !== '' && !isRepository(prefix))) {
    throw new CarryallError('USAGE_BAD_VALUE', `"${text}" is not a destination`, {
      hint: 'Write docker://host[:port][/prefix] or oci:directory as the last operand',
    })
  }
  return { text, kind: 'registry', place, prefix }
}

/**
 * A repository's name at the destination: the prefix in front, and no more than `maxNestedPaths` components, the surplus
 * joined with "-" as oc-mirror does it (0 is no limit). Throws REFERENCE_INVALID where that is too long.
 */
export function targetRepository(target: Target, repository: string, maxNestedPaths: number): string {
  const parts = [...(target.prefix === '' ? [] : target.prefix.split('/')), ...repository.split('/')]
  const kept =
    maxNestedPaths > 0 && parts.length > maxNestedPaths
      ? [...parts.slice(0, maxNestedPaths - 1), parts.slice(maxNestedPaths - 1).join('-')]
      : parts
  const name = kept.join('/')
  if (!isRepository(name)) {
    throw new CarryallError('REFERENCE_INVALID', `"${name}" is not a repository name that a registry takes`, {
      hint: 'Choose a shorter prefix at the destination',
    })
  }
  return name
}

/** `host/repository:tag` or `host/repository@digest`, for reports. */
export function referenceOf(
  target: Target,
  repository: string,
  tag: string | undefined,
  digest: string,
): string {
  return `${target.kind === 'layout' ? `oci:${target.place}` : target.place}/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`
}
