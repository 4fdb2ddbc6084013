import { glob } from '@carryall/catalog'
import type { TagPolicy } from './parse-policy.ts'

export type PolicyTable = Readonly<Record<string, TagPolicy>>
type Rule = readonly [fits: (tag: string) => boolean, policy: TagPolicy]

/** A plan asks for many tags, and always by the same few tables. */
const compiled = new WeakMap<PolicyTable, readonly Rule[]>()

/**
 * What may become of a tag that differs: the first glob that fits counts, table by table; `never` where none does. In a table a
 * key that is a whole number comes before the others, as in every object; it fits no tag but itself.
 */
export function policyFor(tag: string, ...tables: readonly (PolicyTable | undefined)[]): TagPolicy {
  for (const table of tables) {
    const found = rulesOf(table).find(([fits]) => fits(tag))
    if (found !== undefined) return found[1]
  }
  return 'never'
}

function rulesOf(table: PolicyTable | undefined): readonly Rule[] {
  if (table === undefined) return []
  const known = compiled.get(table)
  if (known !== undefined) return known
  const rules = Object.entries(table).map(([pattern, policy]): Rule => [glob(pattern), policy])
  compiled.set(table, rules)
  return rules
}
