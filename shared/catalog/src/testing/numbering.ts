/** Gives each name a number of its own, which stays when others come and go. */
export function numbering(first = 1): (name: string) => number {
  const numbers = new Map<string, number>()
  return (name) => {
    const known = numbers.get(name) ?? first + numbers.size
    numbers.set(name, known)
    return known
  }
}
