import { CarryallError } from '@carryall/errors'
import type * as z from 'zod'
import { nearest } from './suggest.ts'

const SHOWN = 5

/**
 * Turns what zod found into one error with the pointer of the first fault; the message names up to five.
 * `keysAt` gives the keys that are known at a path, for the suggestion.
 */
export function schemaError(
  issues: readonly z.core.$ZodIssue[],
  origin: string,
  kind: string,
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): CarryallError {
  const faults = issues.flatMap((issue) => describe(issue, keysAt))
  const first = faults[0]!
  const more = faults.slice(1, SHOWN).map((fault) => `; ${fault.pointer}: ${fault.message}`)
  const rest = faults.length > SHOWN ? `; and ${faults.length - SHOWN} more` : ''
  return new CarryallError(first.unknown ? 'SCHEMA_UNKNOWN_KEY' : 'SCHEMA_INVALID', `${kind} in ${origin} is not valid: ${first.pointer}: ${first.message}${more.join('')}${rest}`, {
    pointer: first.pointer,
    location: { file: origin },
    hint: first.hint ?? `Correct it; --schema=${kind} prints what is accepted`,
  })
}

interface Fault {
  readonly pointer: string
  readonly message: string
  readonly unknown: boolean
  readonly hint?: string
}

function describe(issue: z.core.$ZodIssue, keysAt: (path: readonly PropertyKey[]) => readonly string[]): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = nearest(key, keysAt(issue.path))
      return {
        pointer: pointer([...issue.path, key]),
        message: `unknown key "${key}"`,
        unknown: true,
        ...(meant === undefined ? {} : { hint: `Did you mean "${meant}"?` }),
      }
    })
  }
  const number = issue.code === 'invalid_type' && issue.expected === 'string' && typeof issue.input === 'number'
  return [
    {
      pointer: pointer(issue.path),
      message: issue.message,
      unknown: false,
      ...(number ? { hint: 'Write it in quotes: versions, tags and names are text' } : {}),
    },
  ]
}

/** RFC 6901, as a URI fragment. */
export function pointer(path: readonly PropertyKey[]): string {
  return `#${path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`
}
