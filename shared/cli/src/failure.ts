import { errorObject, Exit, type ExitCode } from '@carryall/errors'
import type { Item } from './command.ts'

/** The document that stands in for the verb's own where it threw: the consumer at the other end of the pipe refuses it. */
export function failureItem(tool: string, errors: readonly unknown[], exit: ExitCode): Item {
  return {
    document: { apiVersion: 'carryall/v1', kind: 'Failure', tool, errors: errors.map(errorObject) },
    result: { ok: false, changed: false, exit },
  }
}

/** Usage and bugs print no document. */
export function printsDocument(exit: ExitCode): boolean {
  return exit !== Exit.USAGE && exit !== Exit.SOFTWARE
}
