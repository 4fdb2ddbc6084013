import * as z from 'zod'

/** Keys that an object schema knows at `path`, through optional and array wrappers. */
export function keysOf(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const inner = unwrap(schema)
  const [key, ...rest] = path
  if (inner instanceof z.ZodArray && key !== undefined) return keysOf(inner.element as z.ZodType, rest)
  if (!(inner instanceof z.ZodObject)) return []
  const shape = inner.shape as Record<string, z.ZodType>
  if (key === undefined) return Object.keys(shape)
  return Object.hasOwn(shape, key) ? keysOf(shape[String(key)]!, rest) : []
}

/** The schema behind optional and default wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return unwrap(schema.unwrap() as z.ZodType)
  return schema
}
