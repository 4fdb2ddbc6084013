import type { Ran } from '@carryall/cli/testing'

/** What a tool says of its own work on the pipe. */
export interface RanResult {
  readonly ok: boolean
  readonly changed: boolean
  readonly directory: string
  readonly metadata_digest: string
  readonly receipt?: string
  readonly skipped?: readonly {
    readonly image: string
    readonly digest: string
    readonly size: number
    readonly why: string
  }[]
  readonly blocked?: readonly string[]
}

/** The one document that a tool wrote, with its result apart. Throws with stderr where it did not end with `exit`. */
export function only<T = Record<string, unknown>>(
  ran: Ran,
  exit = 0,
): { readonly document: T; readonly result: RanResult } {
  if (ran.exit !== exit) throw new Error(`Ended with ${ran.exit}, not ${exit}:\n${ran.stderr}`)
  if (ran.documents.length !== 1) throw new Error(`Wrote ${ran.documents.length} documents:\n${ran.stdout}`)
  const { result, ...document } = ran.documents[0]!
  return { document: document as T, result: result as RanResult }
}

/** The codes of the Failure document that a tool wrote, with its exit code before them. */
export function failure(ran: Ran): readonly (string | number)[] {
  const document = ran.documents[0] as { kind?: string; errors?: readonly { code: string }[] } | undefined
  return [
    ran.exit,
    ...(document?.kind === 'Failure' ? (document.errors ?? []).map((error) => error.code) : []),
  ]
}

/** One error of the Failure document. */
export interface FailureError {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly pointer?: string
}

export function failureErrors(ran: Ran): readonly FailureError[] {
  return (ran.documents[0] as { errors?: readonly FailureError[] } | undefined)?.errors ?? []
}
