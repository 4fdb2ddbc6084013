import { CarryallError } from '@carryall/errors'
import type { PackFlags } from './command.ts'

/** Refuses flags that say two things at once. Throws USAGE_MISSING_OPERAND, USAGE_CONFLICT (64). */
export function checkFlags(flags: PackFlags): void {
  const { out, stdout, iso } = flags
  if (out === undefined && !stdout)
    throw conflict('out', 'Nothing says where the volumes go', 'Use --out DIR, or --stdout for a stream')
  if (stdout && out !== undefined)
    throw conflict('stdout', '--stdout and --out are two places', 'Use the one or the other')
  if (stdout && iso) throw conflict('iso', '--iso needs --out: an image is no stream', 'Use --out DIR')
  if (stdout && flags['verify-media'])
    throw conflict('verify-media', '--verify-media cannot read a stream back', 'Leave it out')
  if (stdout && flags['encrypt-to'].length > 0)
    throw conflict(
      'encrypt-to',
      '--encrypt-to needs --out: in a tar stream the size of each file comes before it',
      'Encrypt the stream: transfer-pack --stdout … | age -r age1…',
    )
  if (flags['encrypt-metadata'] && flags['encrypt-to'].length === 0)
    throw conflict('encrypt-metadata', '--encrypt-metadata says not for whom', 'Add --encrypt-to RECIPIENT')
}

function conflict(flag: string, message: string, hint: string): CarryallError {
  return new CarryallError('USAGE_CONFLICT', message, { subject: { kind: 'flag', name: flag }, hint })
}
