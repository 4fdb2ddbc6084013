import { badValue } from '@carryall/cli'

/** `never`: a tag that differs stays; `move`: it is overwritten. */
export type TagPolicy = 'never' | 'move'

/** The table of one rule that `--policy 'GLOB=never|move'` gives. Throws USAGE_BAD_VALUE. */
export function parsePolicy(text: string): Readonly<Record<string, TagPolicy>> {
  const [, pattern, policy] = /^(.+)=(never|move)$/.exec(text) ?? []
  if (pattern === undefined) throw badValue(text, 'GLOB=move or GLOB=never, such as latest=move')
  return { [pattern]: policy as TagPolicy }
}
