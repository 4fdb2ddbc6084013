/** What is below a directory, read without the product, for comparing. */
export interface Picture {
  /** What appears all at once, by path: it is absent, as it was, or as it shall be. */
  readonly whole: Readonly<Record<string, unknown>>
  /** What has to be the same at the end, whatever it is meanwhile. */
  readonly memory: Readonly<Record<string, unknown>>
  /** Every other path. */
  readonly others: readonly string[]
  /** What may not be at any moment. */
  readonly faults: readonly string[]
}

/** How one differs from the other; nothing where they are the same. */
export function differences(what: string, one: Picture, other: Picture): readonly string[] {
  const found: string[] = []
  for (const part of ['whole', 'memory'] as const) {
    const names = new Set([...Object.keys(one[part]), ...Object.keys(other[part])])
    for (const name of names) {
      const [left, right] = [one, other].map((picture) => JSON.stringify(picture[part][name]))
      if (left !== right) found.push(`${what} ${name}: ${left}, not ${right}`)
    }
  }
  const [more, less] = [without(one.others, other.others), without(other.others, one.others)]
  if (more.length > 0) found.push(`${what} ${more.join(', ')}, too`)
  if (less.length > 0) found.push(`${what} no ${less.join(', ')}`)
  return found
}

/** What was there is there, and what is new is whole. */
export function halfDone(between: Picture, before: Picture, after: Picture): readonly string[] {
  const found: string[] = []
  for (const name of Object.keys(before.whole)) if (!(name in between.whole)) found.push(`${name} is gone`)
  for (const [name, content] of Object.entries(between.whole)) {
    const text = JSON.stringify(content)
    if (text !== JSON.stringify(after.whole[name]) && text !== JSON.stringify(before.whole[name]))
      found.push(`${name} is ${text}`)
  }
  return found
}

function without(some: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return some.filter((one) => !known.has(one))
}
