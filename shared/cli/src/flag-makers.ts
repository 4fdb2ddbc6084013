import { CarryallError } from '@carryall/errors'
import { parseBytes } from '@carryall/schemas/bytes'
import { parseSeconds } from './duration.ts'
import type { Flag } from './flags.ts'

export interface FlagOptions {
  readonly short?: string
  readonly argvOnly?: boolean
  /** What the help text shows as default, where `absent` does not say it. */
  readonly shownDefault?: string
}

export interface TextOptions extends FlagOptions {
  readonly absent?: string
  readonly required?: true
}

export interface NumberOptions extends FlagOptions {
  readonly absent?: number
  readonly min?: number
  readonly max?: number
}

type TextOf<O> = O extends { required: true } | { absent: string } ? string : string | undefined
type NumberOf<O> = O extends { absent: number } ? number : number | undefined

/** Any text, exactly as it was given: `1.10`, `00012`, `-` and the empty string survive. */
export function text<const O extends TextOptions = TextOptions>(
  value: string,
  help: string,
  opts?: O,
): Flag<TextOf<O>> {
  const parse = (texts: readonly string[]): string => last(texts)
  return {
    ...common(value, help, opts),
    ...(opts?.required ? { required: true } : {}),
    absent: opts?.absent as TextOf<O>,
    parse: parse as Flag<TextOf<O>>['parse'],
  }
}

/** On or off: `--flag`, `--no-flag`, `--flag=true`, `--flag=false`. */
export function toggle(help: string, opts: FlagOptions & { readonly absent?: boolean } = {}): Flag<boolean> {
  const { value: _, ...flag } = common('', help, opts)
  return { ...flag, absent: opts.absent ?? false, parse: (texts) => parseToggle(last(texts)) }
}

/** A whole number within bounds; `min` is 0 unless given. */
export function integer<const O extends NumberOptions = NumberOptions>(
  value: string,
  help: string,
  opts?: O,
): Flag<NumberOf<O>> {
  return numeric(value, help, opts, 'a whole number', (given) =>
    /^[+-]?\d+$/.test(given) ? Number(given) : undefined,
  )
}

/** A number of bytes: `512`, `4.7GB` (10^9), `64MiB` (2^20). */
export function size<const O extends NumberOptions = NumberOptions>(
  value: string,
  help: string,
  opts?: O,
): Flag<NumberOf<O>> {
  return numeric(value, help, opts, 'a size such as 700MB (10^6) or 64MiB (2^20)', parseBytes)
}

/** A time in seconds: `90`, `1.5`, `250ms`, `90s`, `5m`, `2h`, `7d`. */
export function seconds<const O extends NumberOptions = NumberOptions>(
  value: string,
  help: string,
  opts?: O,
): Flag<NumberOf<O>> {
  return numeric(value, help, opts, 'a time such as 90, 90s, 5m or 2h', parseSeconds)
}

/** One of a few words. */
export function oneOf<
  const V extends string,
  const O extends FlagOptions & { readonly absent?: NoInfer<V> } = FlagOptions,
>(words: readonly V[], help: string, opts?: O): Flag<O extends { absent: string } ? V : V | undefined> {
  type T = O extends { absent: string } ? V : V | undefined
  const parse = (texts: readonly string[]): V => {
    const given = last(texts)
    const word = words.find((candidate) => candidate === given)
    if (word === undefined) throw badValue(given, `one of ${words.join(', ')}`)
    return word
  }
  const absent: V | undefined = opts === undefined ? undefined : (opts as { absent?: V }).absent
  return {
    ...common(words.join('|'), help, { ...opts, ...(absent === undefined ? {} : { absent }) }),
    absent: absent as T,
    parse: parse as Flag<T>['parse'],
  }
}

/** Text that may be given several times; in environment variables the entries are separated by commas. */
export function list(value: string, help: string, opts: FlagOptions = {}): Flag<readonly string[]> {
  return { ...common(value, help, opts), repeat: true, absent: [], parse: (texts) => [...texts] }
}

/** For a `parse` of one's own: USAGE_BAD_VALUE saying what is wanted; the flag's name and source are added by the caller. */
export function badValue(given: string, wanted: string): CarryallError {
  return new CarryallError('USAGE_BAD_VALUE', `Cannot use "${given}": ${wanted} is wanted`, {
    expected: wanted,
    actual: given,
  })
}

function numeric<O extends NumberOptions>(
  value: string,
  help: string,
  opts: O | undefined,
  what: string,
  read: (given: string) => number | undefined,
): Flag<NumberOf<O>> {
  const min = opts?.min ?? 0
  const max = opts?.max ?? Number.MAX_SAFE_INTEGER
  const range = opts?.max === undefined ? `, at least ${min}` : ` from ${min} to ${max}`
  const parse = (texts: readonly string[]): number => {
    const given = last(texts)
    const number = read(given)
    if (number === undefined || !(number >= min && number <= max)) throw badValue(given, what + range)
    return number
  }
  return {
    ...common(value, help, opts),
    numeric: true,
    absent: opts?.absent as NumberOf<O>,
    parse: parse as Flag<NumberOf<O>>['parse'],
  }
}

function common(
  value: string,
  help: string,
  opts: (FlagOptions & { readonly absent?: unknown }) | undefined,
) {
  const shown =
    opts?.shownDefault ??
    (opts?.absent === undefined || opts.absent === false ? undefined : String(opts.absent))
  return {
    help,
    value,
    ...(opts?.short === undefined ? {} : { short: opts.short }),
    ...(opts?.argvOnly ? { argvOnly: true } : {}),
    ...(shown === undefined ? {} : { shownDefault: shown }),
  }
}

function parseToggle(given: string): boolean {
  if (given === 'true' || given === '1') return true
  if (given === 'false' || given === '0') return false
  throw badValue(given, 'true or false')
}

function last(texts: readonly string[]): string {
  return texts.at(-1) ?? ''
}
