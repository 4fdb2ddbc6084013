import { CarryallError } from '@carryall/errors'
import type * as z from 'zod'
import { firstFault } from './faults.ts'

/** Checks a value that is not a document of its own, such as a line of an index. Throws SCHEMA_INVALID naming `where`. */
export function parseValue<S extends z.ZodType>(schema: S, value: unknown, where: string): z.infer<S> {
  const parsed = schema.safeParse(value, { reportInput: true })
  if (parsed.success) return parsed.data
  const { pointer, message } = firstFault(parsed.error.issues)
  throw new CarryallError('SCHEMA_INVALID', `${where} is not valid: ${pointer}: ${message}`, {
    pointer,
    location: { file: where },
  })
}
