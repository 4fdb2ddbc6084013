import { CarryallError } from '@carryall/errors'
import { isRepository, type SyncPair } from '@carryall/schemas'

/**
 * Puts a repository's path, relative to its source, under another prefix: the first rule that fits on whole components counts, and
 * what none fits stays. The result is empty where a rule takes the whole path away. Throws REFERENCE_INVALID where it is no name.
 */
export function mapPath(repository: string, table: NonNullable<SyncPair['path_map']> = []): string {
  for (const { from, to } of table) {
    const prefix = from.replace(/\/$/, '')
    if (repository !== prefix && !repository.startsWith(`${prefix}/`)) continue
    return checked(
      [to, repository.slice(prefix.length + 1)].filter((part) => part !== '').join('/'),
      repository,
    )
  }
  return repository
}

function checked(mapped: string, repository: string): string {
  if (mapped === '' || isRepository(mapped)) return mapped
  throw new CarryallError('REFERENCE_INVALID', `Cannot name ${repository} "${mapped}" at the destination`, {
    subject: { kind: 'repository', name: repository },
    actual: mapped,
    hint: 'Give "path_map" a shorter prefix: a name has 255 characters at most',
  })
}
