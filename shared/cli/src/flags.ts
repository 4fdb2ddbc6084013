/** One flag: how it is written and how its text becomes a value. Made by `text`, `toggle`, `integer`, `oneOf`, `size`, `seconds`, `list`. */
export interface Flag<T> {
  readonly help: string
  /** Placeholder of its value, e.g. `DIR`; absent for a toggle. */
  readonly value?: string
  /** The value may be left out; its text is then empty. */
  readonly optional?: boolean
  readonly short?: string
  readonly repeat?: boolean
  /** Not given anywhere: USAGE_MISSING_OPERAND. */
  readonly required?: boolean
  /** A YAML number in a settings file is exact enough for it. */
  readonly numeric?: boolean
  /** Weakens a check or overwrites: not taken from environment or settings, and audited. */
  readonly argvOnly?: boolean
  /** Shown in the help text. */
  readonly shownDefault?: string
  /** Value if it is not given. */
  readonly absent: T
  /** Throws USAGE_BAD_VALUE with what is wanted. `texts` has one entry unless `repeat`. */
  parse(texts: readonly string[]): T
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a table of flags, each with its own type
export type Flags = Readonly<Record<string, Flag<any>>>

/** Values by flag name, as in `flags['max-nested-paths']`. */
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }
