import * as z from 'zod'

export const API_VERSION = 'carryall/v1'

/** One document kind: the only source of its type, its JSON Schema and its reference page. */
export interface Kind<S extends z.ZodType = z.ZodType> {
  readonly kind: string
  /** `people` write it: unknown keys are refused. `tools` write it: unknown keys are ignored unless `critical` names them. */
  readonly writtenBy: 'people' | 'tools'
  readonly apiVersions: readonly string[]
  readonly schema: S
  /** As Go's decoder reads it: keys match without regard to case, and null is as good as absent. */
  readonly goKeys?: boolean
}

/** A kind whose schema is made when it is first asked for: a tool reads two or three of them, and making one takes time. */
export function defineKind<S extends z.ZodType>(kind: Omit<Kind<S>, 'schema'> & { schema(): S }): Kind<S> {
  let made: S | undefined
  return {
    ...kind,
    get schema() {
      return (made ??= kind.schema())
    },
  }
}

export const apiVersion = z.literal(API_VERSION).describe('Version of the format')

/** The two keys on top of every document. */
export function documentHead<const K extends string>(kind: K) {
  return { apiVersion, kind: z.literal(kind).describe('Kind of the document') }
}

/** Of every kind that tools write. */
export const critical = z
  .array(z.string())
  .optional()
  .describe('Keys of this document that a reader must know, or refuse it')
