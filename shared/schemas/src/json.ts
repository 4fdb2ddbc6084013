import { CarryallError } from '@carryall/errors'

const MAX_DEPTH = 64

/**
 * Splits JSON texts that follow one another (NDJSON, pretty-printed, back to back) and parses each.
 * Throws INPUT_SYNTAX with the line; a text that ends inside a value is refused, so that a cut stream is noticed.
 */
export function parseJsonTexts(text: string, origin: string): unknown[] {
  const whole = tryParse(text)
  if (whole.ok) return [checked(whole.value, origin)]
  const values: unknown[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const end = endOfValue(text, at)
    const parsed = tryParse(text.slice(at, end))
    if (!parsed.ok) throw syntaxError(text, at, origin, parsed.error)
    values.push(checked(parsed.value, origin))
    at = end
  }
  return values
}

/** One line of JSON without a newline. */
export function toJson(value: unknown): string {
  return JSON.stringify(value)
}

/** JSON for people: two spaces. */
export function toPrettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

function tryParse(text: string): { ok: true; value: unknown } | { ok: false; error: Error } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch (error) {
    return { ok: false, error: error as Error }
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n\u001e'.includes(text[at]!)) at++
  return at
}

/** Index after the object or array that starts at `from`; the end of the text if it never closes. */
function endOfValue(text: string, from: number): number {
  let depth = 0
  let inString = false
  for (let at = from; at < text.length; at++) {
    const char = text[at]!
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') depth++
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1
  }
  return text.length
}

function checked(value: unknown, origin: string): unknown {
  refuseUnsafe(value, origin, 0)
  return value
}

function refuseUnsafe(value: unknown, origin: string, depth: number): void {
  if (value === null || typeof value !== 'object') return
  if (depth > MAX_DEPTH) throw new CarryallError('INPUT_SYNTAX', `Cannot read ${origin} as JSON: nested deeper than ${MAX_DEPTH}`, { location: { file: origin } })
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new CarryallError('INPUT_SYNTAX', `Cannot read ${origin}: the key "__proto__" is refused`, { location: { file: origin } })
    refuseUnsafe((value as Record<string, unknown>)[key], origin, depth + 1)
  }
}

function syntaxError(text: string, at: number, origin: string, cause: Error): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Cannot read ${origin} as JSON: ${cause.message}`, {
    location: { file: origin, line: text.slice(0, at).split('\n').length },
    hint: 'The text is cut or damaged; write it again',
    cause,
  })
}
