import type { SyncedImage } from '@carryall/schemas'

/** The order of the images in a report, whichever machine reported them: by registry, repository, tag and digest, code by code. */
export function byDestination(a: SyncedImage, b: SyncedImage): number {
  const [left, right] = [namesOf(a), namesOf(b)]
  const at = left.findIndex((name, index) => name !== right[index])
  if (at < 0) return 0
  return left[at]! < right[at]! ? -1 : 1
}

function namesOf({ destination: { registry, repository, tag }, digest }: SyncedImage): readonly string[] {
  return [registry, repository, tag ?? '', digest ?? '']
}
