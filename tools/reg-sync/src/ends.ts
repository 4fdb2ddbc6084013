import { CarryallError } from '@carryall/errors'
import { isDigest, isHost, isRepository, isTag } from '@carryall/schemas'

/** One side of a pair: where its repositories are, and the path that they lie below. */
export interface End {
  /** As it was given. */
  readonly text: string
  readonly kind: 'registry' | 'layout' | 'archive'
  /** As `Image.registry` has it: `host[:port]`, `oci:DIRECTORY`, `oci-archive:FILE`. */
  readonly registry: string
  /** `host[:port]`, directory or file. */
  readonly place: string
  /** Repositories below it, or just the one of this name; may be empty. */
  readonly path: string
  /** A tag or digest, where a single image was named. */
  readonly reference?: string
}

/**
 * Takes `docker://host[:port][/path][:tag|@digest]`, `oci:DIRECTORY` or `oci-archive:FILE` apart. Directories and files are
 * made absolute by `resolve`. Throws USAGE_BAD_VALUE.
 */
export function parseEnd(text: string, resolve: (path: string) => string): End {
  const [, kind, path] = /^(oci|oci-archive):(?:\/\/)?(.+)$/.exec(text) ?? []
  if (kind !== undefined) {
    const place = resolve(path!)
    return {
      text,
      kind: kind === 'oci' ? 'layout' : 'archive',
      registry: `${kind}:${place}`,
      place,
      path: '',
    }
  }
  return registryEnd(text)
}

function registryEnd(text: string): End {
  const [, host = '', rest = ''] = /^docker:\/\/([^/]+)(?:\/(.*?))?\/?$/.exec(text) ?? []
  const [, path = '', tag, digest] = /^([^:@]*)(?::([^@]+))?(?:@(.+))?$/.exec(rest) ?? []
  const reference = digest ?? tag
  const isNamed =
    reference === undefined || (path !== '' && (digest === undefined ? isTag(tag!) : isDigest(digest)))
  if (isHost(host) && (path === '' ? rest === '' : isRepository(path)) && isNamed)
    return {
      text,
      kind: 'registry',
      registry: host,
      place: host,
      path,
      ...(reference === undefined ? {} : { reference }),
    }
  throw new CarryallError('USAGE_BAD_VALUE', `"${text}" is no place for images`, {
    actual: text,
    hint: /^[^:@]*[A-Z]/.test(rest)
      ? 'Names of repositories are in lower case'
      : 'Write docker://host[:port][/path], docker://host/repository:tag, oci:DIRECTORY or oci-archive:FILE',
  })
}

/** An end by its name in documents. */
export function placeOf(registry: string): Pick<End, 'kind' | 'registry' | 'place'> {
  const [, kind, place] = /^(oci|oci-archive):(.+)$/.exec(registry) ?? []
  if (place === undefined) return { kind: 'registry', registry, place: registry }
  return { kind: kind === 'oci' ? 'layout' : 'archive', registry, place }
}

/** What is left of a repository's name below a path; undefined where it is not below it. */
export function below(path: string, repository: string): string | undefined {
  if (path === '') return repository
  if (repository === path) return ''
  return repository.startsWith(`${path}/`) ? repository.slice(path.length + 1) : undefined
}

/** The name of a repository under a path. */
export function under(path: string, relative: string): string {
  return [path, relative].filter((part) => part !== '').join('/')
}
