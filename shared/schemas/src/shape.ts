import * as z from 'zod'

/** The schema behind optional, default and array wrappers, following `path`; undefined where it leads nowhere. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  const inner = unwrap(schema)
  if (path.length === 0) return inner
  const [key, ...rest] = path
  if (inner instanceof z.ZodObject) {
    const next = (inner.shape as Record<string, z.ZodType>)[String(key)]
    return next === undefined ? undefined : schemaAt(next, rest)
  }
  return inner instanceof z.ZodArray ? schemaAt(inner.element as z.ZodType, rest) : undefined
}

/** Keys that an object schema knows at `path`. */
export function keysOf(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const found = schemaAt(schema, path)
  return found instanceof z.ZodObject ? Object.keys(found.shape) : []
}

/** Renames keys to the schema's spelling where they differ in case only, at every level, as Go's JSON decoder does. */
export function canonicalKeys(schema: z.ZodType, value: unknown): unknown {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray && Array.isArray(value)) return value.map((item) => canonicalKeys(inner.element as z.ZodType, item))
  if (!(inner instanceof z.ZodObject) || value === null || typeof value !== 'object' || Array.isArray(value)) return value
  const shape = inner.shape as Record<string, z.ZodType>
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const name = names.get(key.toLowerCase()) ?? key
      const known = shape[name]
      return [name, known === undefined ? item : canonicalKeys(known, item)]
    }),
  )
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrap(schema.unwrap() as z.ZodType)
  return schema
}
