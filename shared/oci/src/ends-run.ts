import { Exit, isCarryallError } from '@carryall/errors'

/**
 * Wrong content is never one image's matter alone: what else the source says is in doubt. Nor is trouble with a disk of
 * ours: the next image meets it as well.
 */
export function endsRun(error: unknown): boolean {
  if (!isCarryallError(error) || error.code === 'REG_VERIFY_AFTER_PUSH') return false
  return error.exit === Exit.INTEGRITY || error.exit === Exit.IO
}
