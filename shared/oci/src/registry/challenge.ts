/** One challenge of a WWW-Authenticate header: its scheme and its parameters, names in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const MAX_LENGTH = 16 * 1024
const SPACE = /[\s,]*/y
const TOKEN = /[!#$%&'*+.^_`|~\w-]+/y
const EQUALS = /\s*=\s*/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
// Of Basic-like schemes: base64 after the scheme, no parameters.
const TOKEN68 = /[\w.~+/-]+=*(?=\s*(?:,|$))/y

/**
 * The challenges of WWW-Authenticate headers (RFC 9110 §11.6.1), several to a header or not, with quoted commas and
 * escapes. What cannot be read ends the header it is in; later ones are still read.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((header) => parseHeader(header.slice(0, MAX_LENGTH)))
}

function parseHeader(text: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match
  }
  for (take(SPACE); at < text.length; take(SPACE)) {
    const name = take(TOKEN)?.[0]
    if (name === undefined) return found
    const current = found.at(-1)
    if (take(EQUALS) && current) {
      const value = take(QUOTED)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? take(TOKEN)?.[0]
      if (value === undefined) return found
      current.parameters[name.toLowerCase()] ??= value
      continue
    }
    found.push({ scheme: name.toLowerCase(), parameters: Object.create(null) as Record<string, string> })
    if (take(/ +/y)) take(TOKEN68)
  }
  return found
}
