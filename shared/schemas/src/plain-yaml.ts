const MAX_DEPTH = 16
const KEY = /^[A-Za-z][A-Za-z0-9_]*$/
/** Words of letters, digits and signs that mean nothing in YAML: a name, a path, a digest, a short description. */
const WORDS = /^[A-Za-z][A-Za-z0-9_./+-]*(?:[: ][A-Za-z0-9_./+-]+)*$/
/** What begins with a digit and is still no number, date or time in any YAML: ids, hashes, versions, sizes. */
const MARKED =
  /^(?:\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?|\d{8}-\d{4}|\d+(?:\.\d+)?[kMGTP]|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const HASH = /^(?=.*[a-df])[0-9a-f]{64}$/
/** Readers take these for something else than text, or refuse them as keys. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|constructor|prototype)$/i
const LONGEST_RESERVED = 'constructor'.length
/** Numbers and times as text. */
const QUOTED = /^(?:\d+|\d+\.\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)$/

/**
 * What `toYaml` prints for a value in which no reader of YAML can see anything else; undefined for any other value. Where
 * a file has these bytes, parsing it gives this value, and that is known ten times faster than by parsing.
 */
export function plainYaml(value: unknown): string | undefined {
  try {
    return isObject(value) && Object.keys(value).length > 0 ? mapping(value, 0) : undefined
  } catch (error) {
    if (error === NOT_PLAIN) return undefined
    throw error
  }
}

const NOT_PLAIN = new Error('not plain')

function mapping(value: object, depth: number): string {
  if (depth > MAX_DEPTH) throw NOT_PLAIN
  const indent = '  '.repeat(depth)
  let text = ''
  for (const [key, inner] of Object.entries(value)) {
    if (!KEY.test(key) || isReserved(key)) throw NOT_PLAIN
    text += `${indent}${key}:${child(inner, depth + 1)}`
  }
  return text
}

function sequence(values: readonly unknown[], depth: number): string {
  if (depth > MAX_DEPTH) throw NOT_PLAIN
  const indent = '  '.repeat(depth)
  let text = ''
  for (const value of values) {
    if (isObject(value) && Object.keys(value).length > 0)
      text += `${indent}- ${mapping(value, depth + 1).slice(indent.length + 2)}`
    else if (Array.isArray(value)) throw NOT_PLAIN
    else text += `${indent}-${child(value, depth + 1)}`
  }
  return text
}

function child(value: unknown, depth: number): string {
  if (Array.isArray(value)) return value.length === 0 ? ' []\n' : `\n${sequence(value, depth)}`
  if (isObject(value)) return Object.keys(value).length === 0 ? ' {}\n' : `\n${mapping(value, depth)}`
  return ` ${scalar(value)}\n`
}

function scalar(value: unknown): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
  if (typeof value !== 'string') throw NOT_PLAIN
  if (QUOTED.test(value)) return `"${value}"`
  if ((WORDS.test(value) && !isReserved(value)) || MARKED.test(value) || HASH.test(value)) return value
  throw NOT_PLAIN
}

function isReserved(word: string): boolean {
  return word.length <= LONGEST_RESERVED && RESERVED.test(word)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
