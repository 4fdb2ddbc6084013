/** True where CARRYALL_FULL=1 asks for every case and not for a sample. */
export const isFull = process.env['CARRYALL_FULL'] === '1'

/** What a sample is drawn with: CARRYALL_SEED, 1 if absent, so that a run can be repeated. */
export const seed = Number(process.env['CARRYALL_SEED'] ?? 1)

/** A source of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function random(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** All of them where `isFull`, else `count` of them, chosen by `seed`, in their order. */
export function sample<T>(items: readonly T[], count: number): readonly T[] {
  if (isFull || items.length <= count) return items
  const next = random(seed)
  return items
    .map((item, index) => ({ item, index, rank: next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, count)
    .toSorted((a, b) => a.index - b.index)
    .map(({ item }) => item)
}
