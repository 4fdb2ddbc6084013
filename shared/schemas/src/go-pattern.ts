/**
 * A regular expression written for Go (RE2), as ImageSetConfigurations have them, for JavaScript: `(?i)` and its like in
 * front, `(?P<name>…)`, `\A`, `\z`, `[[:digit:]]` and escaped punctuation mean what they mean there. Throws SyntaxError for what
 * does not compile, and for look-around and back-references, which Go does not have.
 */
export function goPattern(source: string): RegExp {
  const [, flags = '', rest = source] = /^\(\?([ims]+)\)([^]*)$/.exec(source) ?? []
  if (/\(\?<?[=!]|\\[1-9]|\\k</.test(rest.replaceAll('\\\\', ''))) {
    throw new SyntaxError('look-around and back-references are not accepted')
  }
  const body = rest.replaceAll(
    /\\([^])|\[:(\^?[a-z]+):\]|\(\?P</g,
    (found, escaped?: string, named?: string) => {
      if (escaped !== undefined) return ESCAPES.get(escaped) ?? punctuation(escaped)
      return named === undefined ? '(?<' : (CLASSES.get(named) ?? found)
    },
  )
  return new RegExp(body, `u${[...new Set(flags)].join('')}`)
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['A', '(?<![^])'],
  ['z', '(?![^])'],
  ['a', '\\x07'],
])

/** RE2: ASCII classes, inside brackets. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ['alnum', '0-9A-Za-z'],
  ['alpha', 'A-Za-z'],
  ['blank', '\\t '],
  ['digit', '0-9'],
  ['lower', 'a-z'],
  ['punct', '!-\\/:-@\\[-`\\{-~'],
  ['space', '\\t-\\r '],
  ['upper', 'A-Z'],
  ['word', '0-9A-Za-z_'],
  ['xdigit', '0-9A-Fa-f'],
])

/** With the flag `u`, JavaScript takes an escape of punctuation without a meaning for a fault. */
function punctuation(char: string): string {
  const plain = /[!-/:-@[-`{-~]/.test(char) && !/[$()*+./?[\\\]^{|}]/.test(char)
  return plain ? `\\x${char.charCodeAt(0).toString(16)}` : `\\${char}`
}
