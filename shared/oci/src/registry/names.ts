import { CarryallError } from '@carryall/errors'
import { isDigest, isRepository, isTag } from '@carryall/schemas'
import type { Access } from './authorizer.ts'
import { repositoryName } from './docker-hub.ts'

/** The path of a repository below `/v2/`, by the grammar only. Throws REFERENCE_INVALID (reliability: T1, §1.3). */
export function repositoryPath(host: string, repository: string): string {
  if (isRepository(repository)) return `/v2/${repositoryName(host, repository)}`
  throw new CarryallError('REFERENCE_INVALID', `"${repository}" is not the name of a repository`, {
    subject: { kind: 'repository', name: repository },
    hint: 'Names are lower-case letters and digits, separated by ".", "_", "-" and "/"',
  })
}

/** A tag or a digest as part of a path. Throws REFERENCE_INVALID. */
export function referencePath(reference: string): string {
  if (isTag(reference) || isDigest(reference)) return reference
  throw new CarryallError('REFERENCE_INVALID', `"${reference}" is neither a tag nor a sha256 digest`, {
    subject: { kind: 'tag', name: reference },
  })
}

/** Rights on a repository, and to read from another one for a mount. */
export function accessTo(
  host: string,
  repository: string,
  actions: 'pull' | 'pull,push' | 'pull,push,delete',
  from?: string,
): Access {
  const scope = (name: string, what: string) => `repository:${repositoryName(host, name)}:${what}`
  const other = from === undefined || from === repository ? [] : [scope(from, 'pull')]
  return { repository: repositoryName(host, repository), scopes: [scope(repository, actions), ...other] }
}
