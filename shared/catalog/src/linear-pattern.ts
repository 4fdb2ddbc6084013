import { goPattern } from '@carryall/schemas'

const MAX_STATES = 20_000
const QUANTIFIER = /(?:[*+?]|\{(?<least>\d+)(?<more>,(?<most>\d*))?\})\??/y
const OPEN = /\((?:\?(?:<[^>=!]*>|(?<on>[a-z]*)(?:-(?<off>[a-z]+))?:))?/y
const ASSERTION = /\^|\$|\\[bB]|\(\?<!\[\^\]\)|\(\?!\[\^\]\)/y
const CHARACTER =
  /\\(?:[uU]\{[^}]*\}|[pP]\{[^}]*\}|x[\da-f]{2}|u[\da-f]{4}|[^])|\[(?:\\[^]|[^\]\\])*\]|[^]/iuy

/** A step of the automaton: one character, nothing under a condition, or nothing at all. */
interface State {
  readonly pattern?: RegExp
  readonly width: 0 | 1
  readonly next: readonly number[]
}

/** Adds the states of a part of the pattern in front of the state `next`; gives back the first of them. */
type Part = (next: number) => number

/**
 * A test of whole texts by a regular expression in Go's syntax (RE2), in time that grows with the text's length and no
 * faster: all ways through the pattern are taken at once, where JavaScript tries them one by one. Throws SyntaxError, also
 * for counts that make the pattern too large.
 */
export function linearPattern(source: string): (text: string) => boolean {
  const { source: pattern, flags } = goPattern(source)
  const states: State[] = [{ width: 0, next: [] }]
  const start = parse(pattern, flags, states)(0)
  return (text) => runs(states, start, text)
}

function runs(states: readonly State[], start: number, text: string): boolean {
  let current = closure(states, [start], text, 0)
  for (let at = 0; at < text.length && current.size > 0;) {
    const taken = [...current].flatMap((index) => {
      const { pattern, width, next } = states[index]!
      return width === 1 && matches(pattern!, text, at) ? next : []
    })
    at += text.codePointAt(at)! > 0xffff ? 2 : 1
    current = closure(states, taken, text, at)
  }
  return current.has(0)
}

/** What is reached without a character. */
function closure(states: readonly State[], from: readonly number[], text: string, at: number): Set<number> {
  const reached = new Set(from)
  for (const index of reached) {
    const { pattern, width, next } = states[index]!
    if (width === 0 && (pattern === undefined || matches(pattern, text, at)))
      next.forEach((one) => reached.add(one))
  }
  return reached
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at
  return pattern.test(text)
}

/** Reads a pattern that JavaScript has accepted. */
function parse(pattern: string, flags: string, states: State[]): Part {
  let at = 0
  const take = (wanted: RegExp) => {
    wanted.lastIndex = at
    const found = wanted.exec(pattern)
    if (found) at = wanted.lastIndex
    return found
  }
  const add = (state: State): number => {
    if (states.length >= MAX_STATES) throw new SyntaxError('the counts in it make it too large')
    return states.push(state) - 1
  }
  const step =
    (text: string, width: 0 | 1, with_: string): Part =>
    (next) =>
      add({ pattern: new RegExp(text, `${with_}y`), width, next: [next] })

  const alternatives = (current: string): Part => {
    const options = [sequence(current)]
    while (pattern[at] === '|') {
      at += 1
      options.push(sequence(current))
    }
    return options.length === 1
      ? options[0]!
      : (next) => add({ width: 0, next: options.map((option) => option(next)) })
  }
  const sequence = (current: string): Part => {
    const parts: Part[] = []
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') parts.push(repeated(current))
    return (next) => parts.reduceRight((after, part) => part(after), next)
  }
  const repeated = (current: string): Part => {
    const part = atom(current)
    const found = take(QUANTIFIER)
    if (found === null) return part
    const { least, more, most } = found.groups!
    const [sign = ''] = found[0]
    const [min, max] =
      sign === '{'
        ? [Number(least), more === undefined ? Number(least) : most === '' ? Infinity : Number(most)]
        : [sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity]
    return (next) => {
      let after = next
      if (max === Infinity) after = loop(part, next)
      else
        for (let rest = max - min; rest > 0; rest -= 1) after = add({ width: 0, next: [part(after), next] })
      for (let count = 0; count < min; count += 1) after = part(after)
      return after
    }
  }
  const loop = (part: Part, next: number): number => {
    const back: number[] = [next]
    const here = add({ width: 0, next: back })
    back.unshift(part(here))
    return here
  }
  const atom = (current: string): Part => {
    const assertion = take(ASSERTION)
    if (assertion) return step(assertion[0], 0, current)
    const open = take(OPEN)
    if (open === null) return step(take(CHARACTER)![0], 1, current)
    const { on = '', off = '' } = open.groups!
    const inner = alternatives([...new Set(current + on)].filter((flag) => !off.includes(flag)).join(''))
    at += 1
    return inner
  }
  return alternatives(flags)
}
