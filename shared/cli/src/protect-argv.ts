import { CarryallError } from '@carryall/errors'
import type { Flag } from './flags.ts'
import { suggest } from './suggest.ts'

/** No argument of a process can hold a NUL, so it marks text that cac must take as it is. */
const MARK = '\0'

type Table = Readonly<Record<string, Flag<unknown>>>

/**
 * Writes every argument in the one form that cac 7 neither drops nor turns into a number: `--flag=<mark>text` for flags,
 * toggles and short flags alike, `<mark>text` for operands. Left as it is: the verb, which cac has to know. After `--`
 * everything is an operand. Throws USAGE_UNKNOWN_FLAG and USAGE_BAD_VALUE.
 */
export async function protectArgv(
  argv: readonly string[],
  table: Table,
  verbs: readonly string[],
): Promise<string[]> {
  const out: string[] = []
  let operands = 0
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return [...out, ...argv.slice(at + 1).map((operand) => MARK + operand)]
    if (word === '-' || !word.startsWith('-')) {
      out.push(operands++ === 0 && verbs.includes(word) ? word : MARK + word)
    } else if (word.startsWith('--')) {
      at += long(word, argv[at + 1], await lookUp(word, table), out)
    } else {
      at += short(word, argv[at + 1], table, out)
    }
  }
  return out
}

/** The text behind a mark; without one, the word itself. */
export function unprotect(word: string): string {
  return word.startsWith(MARK) ? word.slice(MARK.length) : word
}

/** Name of a flag at cac, which would read a leading `no-` as a negation and turn `-x` into `X`. */
export function protectedName(flag: string): string {
  return flag.replaceAll('-', '_')
}

interface Found {
  readonly name: string
  readonly flag: Flag<unknown>
  readonly negated: boolean
}

async function lookUp(word: string, table: Table): Promise<Found> {
  const name = word.slice(2).split('=', 1)[0]!
  if (Object.hasOwn(table, name)) return { name, flag: table[name]!, negated: false }
  const positive = name.replace(/^no-/, '')
  if (positive !== name && Object.hasOwn(table, positive) && table[positive]!.value === undefined) {
    return { name: positive, flag: table[positive]!, negated: true }
  }
  throw await unknownFlag(name, Object.keys(table))
}

/** USAGE_UNKNOWN_FLAG with the nearest flag of those that there are. */
export async function unknownFlag(name: string, known: readonly string[]): Promise<CarryallError> {
  return new CarryallError('USAGE_UNKNOWN_FLAG', `Unknown flag --${name}`, {
    subject: { kind: 'flag', name: `--${name}` },
    ...(await suggest(name, known, 'Use -h for the list of flags', '--')),
  })
}

/** Both give back how many of the following arguments were taken as value. */
function long(word: string, next: string | undefined, { name, flag, negated }: Found, out: string[]): 0 | 1 {
  const equals = word.indexOf('=')
  if (negated) {
    if (equals !== -1) throw bad(`--no-${name}`, 'takes no value')
    out.push(entry(name, 'false'))
    return 0
  }
  if (equals !== -1 || flag.value === undefined) {
    out.push(entry(name, equals === -1 ? 'true' : word.slice(equals + 1)))
    return 0
  }
  if (flag.optional && (next === undefined || next.startsWith('-'))) {
    out.push(entry(name, ''))
    return 0
  }
  if (next === undefined) throw bad(`--${name}`, `needs a value: --${name} ${flag.value}`)
  out.push(entry(name, next))
  return 1
}

function short(word: string, next: string | undefined, table: Table, out: string[]): 0 | 1 {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!
    const found = Object.entries(table).find(([, flag]) => flag.short === letter)
    if (found === undefined) {
      throw new CarryallError('USAGE_UNKNOWN_FLAG', `Unknown flag -${letter} in ${word}`, {
        subject: { kind: 'flag', name: `-${letter}` },
        hint: 'Use -h for the list of flags; an operand that starts with "-" goes after "--"',
      })
    }
    const [name, flag] = found
    if (flag.value === undefined) {
      out.push(entry(name, 'true'))
      continue
    }
    const attached = word.slice(at + 1)
    if (attached === '' && next === undefined)
      throw bad(`-${letter}`, `needs a value: -${letter} ${flag.value}`)
    out.push(entry(name, attached === '' ? next! : attached))
    return attached === '' ? 1 : 0
  }
  return 0
}

function entry(name: string, text: string): string {
  return `--${protectedName(name)}=${MARK}${text}`
}

function bad(flag: string, why: string): CarryallError {
  return new CarryallError('USAGE_BAD_VALUE', `${flag} ${why}`, { subject: { kind: 'flag', name: flag } })
}
