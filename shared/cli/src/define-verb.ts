import type { Verb } from './command.ts'
import type { Flags } from './flags.ts'

/** Gives a verb back as it is, so that the type of `flags` in `run` comes from its flag table. */
export function defineVerb<const F extends Flags>(verb: Verb<F>): Verb<F> {
  return verb
}
