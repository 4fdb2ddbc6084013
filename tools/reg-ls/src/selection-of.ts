import type { Selection } from '@carryall/catalog'
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
