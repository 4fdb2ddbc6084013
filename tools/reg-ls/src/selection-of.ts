import type { Selection } from '@carryall/catalog'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { ListFlags } from './command.ts'

/** What the flags choose. */
export function selectionOf(flags: ListFlags): Selection {
  const some = (globs: readonly string[]) => (globs.length === 0 ? undefined : globs)
  return {
    repositories: { include: some(flags.repository), exclude: some(flags['exclude-repository']) },
    tags: {
      include: some(flags.tag),
      exclude: some(flags['exclude-tag']),
      regex: flags['tag-regex'],
      semver: flags.semver,
      newest: flags.newest,
      changed_since: flags['changed-since'],
    },
  }
}

const FLAG: Readonly<Record<string, string>> = {
  '#/tags/regex': 'tag-regex',
  '#/tags/semver': 'semver',
  '#/tags/changed_since': 'changed-since',
}

/** What is wrong in a selection was wrong in a flag. */
export function asFlagError(error: unknown): unknown {
  const flag = isCarryallError(error, 'CONFIG_INVALID') ? FLAG[error.details.pointer ?? ''] : undefined
  if (flag === undefined) return error
  const { message, details } = error as CarryallError
  const { pointer: _, ...rest } = details
  return new CarryallError('USAGE_BAD_VALUE', `Flag --${flag}: ${message}`, {
    ...rest,
    subject: { kind: 'flag', name: flag },
    cause: error,
  })
}
