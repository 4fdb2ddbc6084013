import type { PlannedSync } from '@carryall/schemas'

/** What has a place at the destination. */
type Placed = Pick<PlannedSync, 'destination' | 'digest'>

/** The order of images in plans and reports, whichever machine wrote them: by registry, repository, tag and digest, code by code. */
export function byDestination(a: Placed, b: Placed): number {
  const [left, right] = [namesOf(a), namesOf(b)]
  const at = left.findIndex((name, index) => name !== right[index])
  if (at < 0) return 0
  return left[at]! < right[at]! ? -1 : 1
}

function namesOf({ destination: { registry, repository, tag }, digest }: Placed): readonly string[] {
  return [registry, repository, tag ?? '', digest ?? '']
}
