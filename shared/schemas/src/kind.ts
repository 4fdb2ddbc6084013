import type * as z from 'zod'

export const API_VERSION = 'carryall/v1'

/** One document kind: the only source of its type, its JSON Schema and its reference page. */
export interface Kind<S extends z.ZodType = z.ZodType> {
  readonly kind: string
  /** `people` write it: unknown keys are refused. `tools` write it: unknown keys are ignored unless `critical` names them. */
  readonly writtenBy: 'people' | 'tools'
  readonly apiVersions: readonly string[]
  readonly schema: S
  /** Keys match without regard to case. */
  readonly anyCase?: boolean
}

export function defineKind<S extends z.ZodType>(kind: Kind<S>): Kind<S> {
  return kind
}
