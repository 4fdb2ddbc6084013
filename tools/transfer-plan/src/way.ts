import { CarryallError } from '@carryall/errors'
import type { PlanFlags } from './command.ts'

/** Who says what the site has. */
export type Way =
  | { readonly mode: 'nothing' }
  | { readonly mode: 'receipts'; readonly places: readonly string[] }
  | { readonly mode: 'asserted'; readonly words: readonly string[] }

/** One of three ways, and only one. Pure. Throws RECEIPT_MISSING (66) where none was chosen, USAGE_CONFLICT. */
export function wayOf(flags: Pick<PlanFlags, 'have' | 'have-nothing' | 'one-way' | 'assert'>): Way {
  const given = [
    ...(flags.have.length > 0 ? ['--have'] : []),
    ...(flags['have-nothing'] ? ['--have-nothing'] : []),
    ...(flags['one-way'] ? ['--one-way'] : []),
  ]
  if (given.length > 1) {
    throw new CarryallError('USAGE_CONFLICT', `${given.join(' and ')} exclude one another`, {
      hint: 'Either receipts say what the site has, or it is known to have nothing, or you say what it has',
    })
  }
  if (flags['one-way'] !== flags.assert.length > 0) {
    throw new CarryallError('USAGE_CONFLICT', '--one-way and --assert CHAIN=NUMBER need one another', {
      hint: 'Say with --assert which shipment is complete at the site; where none is, say --have-nothing instead',
    })
  }
  if (flags['one-way']) return { mode: 'asserted', words: flags.assert }
  if (flags['have-nothing']) return { mode: 'nothing' }
  if (given.length > 0) return { mode: 'receipts', places: flags.have }
  throw new CarryallError(
    'RECEIPT_MISSING',
    'Nobody says what the site has, so what it lacks cannot be known',
    {
      hint: 'First trip to a site: --have-nothing. Later: --have FILE|DIR with the receipt that came back from there. Where nothing ever comes back: --one-way --assert CHAIN=NUMBER',
    },
  )
}
