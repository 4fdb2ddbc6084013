import { CarryallError } from '@carryall/errors'
import { refuseUnsafe } from './refuse-unsafe.ts'

const MAX_DEPTH = 64
/** Up to here nesting costs JSON.parse little memory; a text of nothing but brackets costs it forty times its length. */
const SMALL = 1024 * 1024

/**
 * Splits JSON texts that follow one another (NDJSON, pretty-printed, back to back) and parses each.
 * Throws INPUT_SYNTAX with the line; a text that ends inside a value is refused, so that a cut stream is noticed, and so
 * are nesting deeper than 64 and keys that name a prototype.
 */
export function parseJsonTexts(text: string, origin: string): unknown[] {
  const lines = text.length > SMALL ? parseLines(text) : undefined
  if (lines !== undefined) return lines.map((value) => checked(value, origin))
  if (text.length > SMALL) refuseDeep(text, origin)
  const whole = tryParse(text)
  if (whole.ok) return [checked(whole.value, origin)]
  const values: unknown[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const end = endOfValue(text, at, origin)
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

/** The values of a long text that has one on each line, none of them long; undefined for any other text. */
function parseLines(text: string): readonly unknown[] | undefined {
  const values: unknown[] = []
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    if (end - at > SMALL) return undefined
    if (end > at) {
      const parsed = tryParse(text.slice(at, end))
      if (!parsed.ok) return undefined
      values.push(parsed.value)
    }
    at = end + 1
  }
  return values
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

/** Index after the object or array that starts at `from`; the end of the text if it never closes. Throws where it is too deep. */
function endOfValue(text: string, from: number, origin: string): number {
  let depth = 0
  let inString = false
  for (let at = from; at < text.length; at++) {
    const char = text[at]!
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') {
      if (++depth > MAX_DEPTH) throw tooDeep(origin)
    } else if ((char === '}' || char === ']') && --depth === 0) return at + 1
  }
  return text.length
}

function refuseDeep(text: string, origin: string): void {
  let at = 0
  while (at < text.length) at = endOfValue(text, at, origin)
}

function checked(value: unknown, origin: string): unknown {
  refuseUnsafe(value, origin, { maxDepth: MAX_DEPTH })
  return value
}

function syntaxError(text: string, at: number, origin: string, cause: Error): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Cannot read ${origin} as JSON: ${cause.message}`, {
    location: { file: origin, line: text.slice(0, at).split('\n').length },
    hint: 'The text is cut or damaged; write it again',
    cause,
  })
}

function tooDeep(origin: string): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Cannot read ${origin} as JSON: nested deeper than ${MAX_DEPTH}`, {
    location: { file: origin },
  })
}
