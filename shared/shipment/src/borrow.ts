/** A sequence that holds blobs in its archives. */
export interface Holder {
  readonly sequence_number: number
  readonly held: ReadonlySet<string>
}

/**
 * From which earlier sequence each needed blob is borrowed, so that as few sequences as possible have to be there and
 * none of them is redundant: all holders to begin with, the oldest dropped first while the rest covers everything, each
 * blob then from the newest left. Blobs that nobody holds are not in the answer. Pure.
 */
export function borrow(needed: Iterable<string>, holders: readonly Holder[]): ReadonlyMap<string, number> {
  const newestFirst = [...holders].sort((a, b) => b.sequence_number - a.sequence_number)
  const wanted = [...needed].filter((digest) => newestFirst.some((holder) => holder.held.has(digest)))
  const count = new Map(
    wanted.map((digest) => [digest, newestFirst.filter((holder) => holder.held.has(digest)).length]),
  )
  const kept = new Set(newestFirst)
  for (const oldest of newestFirst.toReversed()) {
    const sole = wanted.some((digest) => oldest.held.has(digest) && count.get(digest) === 1)
    if (sole) continue
    kept.delete(oldest)
    for (const digest of wanted) if (oldest.held.has(digest)) count.set(digest, count.get(digest)! - 1)
  }
  const left = newestFirst.filter((holder) => kept.has(holder))
  return new Map(
    wanted.map((digest) => [digest, left.find((holder) => holder.held.has(digest))!.sequence_number]),
  )
}
