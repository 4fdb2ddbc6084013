import { Exit, isCarryallError } from '@carryall/errors'

/** Wrong content is never one image's matter alone: what else the source says is in doubt. */
export function endsRun(error: unknown): boolean {
  return isCarryallError(error) && error.exit === Exit.INTEGRITY && error.code !== 'REG_VERIFY_AFTER_PUSH'
}
