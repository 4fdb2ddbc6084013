import { CarryallError } from '@carryall/errors'
import type { EndFlags } from './command.ts'

/** Refuses to read a password as a document, or a document as a password. Throws USAGE_CONFLICT. */
export function requireStdin(what: string, flags: EndFlags): void {
  const flag = (['src-password-stdin', 'dest-password-stdin'] as const).find((name) => flags[name])
  if (flag === undefined) return
  throw new CarryallError('USAGE_CONFLICT', `Both ${what} and --${flag} want stdin`, {
    hint: `Give the password by --${flag.replace('stdin', 'file')}`,
  })
}
