import { selectRepositories, selectTags } from '@carryall/catalog'
import { CarryallError } from '@carryall/errors'
import { checkTemplate } from './backup-tag.ts'
import { below } from './ends.ts'
import { inConfiguration } from './in-configuration.ts'
import type { Pair } from './pairs.ts'

/**
 * Refuses what cannot be meant, before anybody is asked: filters and templates that make no sense (CONFIG_INVALID, with a pointer into
 * the pair), and a destination that is the source, or lies in it (USAGE_CONFLICT).
 */
export function checkPair(pair: Pair, now: Date): void {
  selectTags([], pair.tags, now)
  inConfiguration('#/backup', () => pair.backup === undefined || checkTemplate(pair.backup))
  refuseItself(pair)
  refuseWithin(pair)
}

function refuseItself({ source, destination, pathMap }: Pair): void {
  if (source.registry !== destination.registry || pathMap.length > 0) return
  const isSingle = source.reference !== undefined
  const path = isSingle && destination.path === '' ? source.path : destination.path
  if (path !== source.path || (destination.reference ?? source.reference) !== source.reference) return
  throw new CarryallError('USAGE_CONFLICT', `${destination.text} is the source itself`, {
    actual: destination.text,
    hint: 'Give another registry, or another path',
  })
}

/** Each run would copy what the last one has brought, one level deeper. */
function refuseWithin({ source, destination, pathMap, repositories, images, listed }: Pair): void {
  if (source.registry !== destination.registry || source.path === destination.path) return
  if (pathMap.length > 0 || images !== undefined || listed !== undefined) return
  if (below(source.path, destination.path) === undefined) return
  const brought = [destination.path, `${destination.path}/a`]
  if (selectRepositories(brought, source.path, repositories).length === 0) return
  const inner = below(source.path, destination.path)!
  throw new CarryallError('USAGE_CONFLICT', `${destination.text} lies within ${source.text}`, {
    actual: destination.text,
    hint: `Leave it out of the source with --exclude-repository '{${inner},${inner}/**}', or give a destination elsewhere`,
  })
}
