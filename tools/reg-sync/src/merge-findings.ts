import { CarryallError } from '@carryall/errors'
import type { SyncSide } from '@carryall/schemas'
import { destinationKey } from './finished.ts'
import type { Findings } from './make-plan.ts'
import { nameOf } from './pairs.ts'

/**
 * The findings of all pairs with every place at the destination once: what several pairs have from one source is left to the first of
 * them, and what one pair brings is no extra of another. Throws CONFIG_INVALID where two sources want one tag: who comes last would
 * win, by chance.
 */
export function mergeFindings(findings: readonly Findings[]): readonly Findings[] {
  const owners = new Map<string, SyncSide>()
  const taken = new Set(findings.flatMap(({ names }) => [...names]))
  return findings.map((one) => ({
    ...one,
    images: one.images.filter(({ source, destination, digest }) => {
      const key = destinationKey(destination, digest)
      const owner = owners.get(key)
      if (owner === undefined) return owners.set(key, source)
      // Under its digest it is the same wherever it comes from.
      if (destination.tag !== undefined && destinationKey(owner) !== destinationKey(source))
        throw clash(owner, source, destination)
      return false
    }),
    extra: one.extra.filter(({ side }) => {
      const key = destinationKey(side)
      return !taken.has(key) && taken.add(key)
    }),
  }))
}

function clash(first: SyncSide, second: SyncSide, destination: SyncSide): CarryallError {
  const [one, other, wanted] = [first, second, destination].map(
    ({ registry, repository, tag = '' }) => `${registry}/${nameOf(repository, tag)}`,
  )
  return new CarryallError('CONFIG_INVALID', `${one} and ${other} would both become ${wanted}`, {
    subject: { kind: 'tag', name: wanted! },
    hint: 'Leave one of them out, or give them paths of their own at the destination',
  })
}
