import { CarryallError } from '@carryall/errors'
import type * as z from 'zod'
import { nearest } from './suggest.ts'

const SHOWN = 5
const QUOTE_IT = 'Write it in quotes: versions, tags and names are text'

export type KeysAt = (path: readonly PropertyKey[]) => readonly string[]

/** One thing that is wrong with a value. */
interface SchemaFault {
  readonly pointer: string
  readonly message: string
  readonly unknownKey: boolean
  /** What to do about it; worked out only for the fault that is shown first. */
  hint(): string | undefined
}

/**
 * Turns what zod found into one error with the pointer of the first fault, unknown keys first; the message names five.
 * `keysAt` gives the keys that are known at a path, for the suggestion.
 */
export function schemaError(
  issues: readonly z.core.$ZodIssue[],
  origin: string,
  kind: string,
  keysAt: KeysAt,
): CarryallError {
  // A key that is unknown is often a key that is missing, misspelled: so it comes first.
  const faults = issues
    .flatMap((issue) => describe(issue, keysAt))
    .toSorted((a, b) => Number(b.unknownKey) - Number(a.unknownKey))
  const first = faults[0]!
  return new CarryallError(
    first.unknownKey ? 'SCHEMA_UNKNOWN_KEY' : 'SCHEMA_INVALID',
    `${kind} in ${origin} is not valid: ${listFaults(faults)}`,
    {
      pointer: first.pointer,
      location: { file: origin },
      hint: first.hint() ?? `Correct it; --schema=${kind} prints what is accepted`,
    },
  )
}

/** Pointers and messages of the first five, and how many more there are. */
export function listFaults(
  faults: readonly { readonly pointer: string; readonly message: string }[],
): string {
  const shown = faults.slice(0, SHOWN).map((fault) => `${fault.pointer}: ${fault.message}`)
  return [...shown, ...(faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : [])].join('; ')
}

/** Where and what the first of zod's findings is. */
export function firstFault(issues: readonly z.core.$ZodIssue[]): { pointer: string; message: string } {
  return describe(issues[0]!, () => [])[0]!
}

/** RFC 6901, as it is written after `#`; nothing but `~` and `/` is escaped. */
export function pointer(path: readonly PropertyKey[]): string {
  return `#${path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`
}

function describe(issue: z.core.$ZodIssue, keysAt: KeysAt): SchemaFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointer([...issue.path, key]),
      message: `unknown key "${key}"`,
      unknownKey: true,
      hint: () => didYouMean(nearest(key, keysAt(issue.path))),
    }))
  }
  const branch = issue.code === 'invalid_union' ? likeliestBranch(issue) : undefined
  if (branch !== undefined) return branch.flatMap((inner) => describe(inner, keysAt))
  return [
    {
      pointer: pointer(issue.path),
      message: isMissing(issue) ? 'is missing' : issue.message,
      unknownKey: false,
      hint: () => hintOf(issue),
    },
  ]
}

/** Of an object that is none of several shapes, what keeps it from the shape that it is nearest to. */
function likeliestBranch(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  const [nearestBranch] = issue.errors.toSorted((a, b) => a.length - b.length)
  if (nearestBranch === undefined || nearestBranch.some((inner) => inner.path.length === 0)) return undefined
  return nearestBranch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return (issue.code === 'invalid_type' || issue.code === 'invalid_value') && issue.input === undefined
}

function hintOf(issue: z.core.$ZodIssue): string | undefined {
  const { input } = issue
  if (issue.code === 'invalid_type' && issue.expected === 'string')
    return typeof input === 'number' || typeof input === 'boolean' ? QUOTE_IT : undefined
  if (issue.code !== 'invalid_value' || typeof input !== 'string') return undefined
  return didYouMean(nearest(input, issue.values.map(String)))
}

function didYouMean(meant: string | undefined): string | undefined {
  return meant === undefined ? undefined : `Did you mean "${meant}"?`
}
