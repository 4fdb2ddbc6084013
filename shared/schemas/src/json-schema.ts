import * as z from 'zod'
import { KINDS } from './kinds.ts'

/** JSON Schema 2020-12 of a kind: what is accepted from people, what is written by tools. Undefined for an unknown kind. */
export function jsonSchema(kind: string): object | undefined {
  const found = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (found === undefined) return undefined
  const schema = z.toJSONSchema(found.schema, { io: 'input', unrepresentable: 'throw' })
  return { $id: `https://carryall.example/schemas/${kind}.schema.json`, title: kind, ...schema }
}
