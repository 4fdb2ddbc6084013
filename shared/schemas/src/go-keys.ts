import * as z from 'zod'
import { unwrap } from './shape.ts'

/** A key that stands twice in an object, in two spellings. */
export interface KeyTwice {
  readonly path: readonly PropertyKey[]
  readonly spellings: readonly [string, string]
}

/**
 * Reads a value as Go's JSON decoder does, at every level of the schema: keys that differ from the schema's in case only get
 * its spelling, and known keys with null are left out. `twice` is called for a key that two spellings give.
 */
export function goKeys(
  schema: z.ZodType,
  value: unknown,
  twice: (key: KeyTwice) => never,
  path: readonly PropertyKey[] = [],
): unknown {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item, index) => goKeys(inner.element as z.ZodType, item, twice, [...path, index]))
  }
  if (!(inner instanceof z.ZodObject) || value === null || typeof value !== 'object' || Array.isArray(value))
    return value
  const shape = inner.shape as Record<string, z.ZodType>
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]))
  const spelled = new Map<string, string>()
  const entries: [string, unknown][] = []
  for (const [key, item] of Object.entries(value)) {
    const name = names.get(key.toLowerCase())
    const other = name === undefined ? undefined : spelled.get(name)
    if (name !== undefined && other !== undefined) twice({ path: [...path, key], spellings: [other, key] })
    if (name === undefined) entries.push([key, item])
    else if (item !== null) entries.push([name, goKeys(shape[name]!, item, twice, [...path, name])])
    if (name !== undefined) spelled.set(name, key)
  }
  return Object.fromEntries(entries)
}
