export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The middle of some numbers (of two middle ones the mean), the least and the greatest. Throws RangeError for none. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('There is no median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}
