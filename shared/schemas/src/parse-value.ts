import { CarryallError } from '@carryall/errors'
import type * as z from 'zod'
import { pointer } from './faults.ts'

/** Checks a value that is not a document of its own, such as a line of an index. Throws SCHEMA_INVALID naming `where`. */
export function parseValue<S extends z.ZodType>(schema: S, value: unknown, where: string): z.infer<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new CarryallError('SCHEMA_INVALID', `${where} is not valid: ${pointer(issue.path)}: ${issue.message}`, {
    pointer: pointer(issue.path),
    location: { file: where },
  })
}
