import { CODES, type ErrorCode } from './codes.ts'
import type { ExitCode } from './exit.ts'

/** What an error is about, so that a machine can route it. */
export interface Subject {
  readonly kind:
    | 'blob'
    | 'manifest'
    | 'tag'
    | 'repository'
    | 'file'
    | 'shipment'
    | 'document'
    | 'flag'
    | 'host'
    | 'program'
    | 'volume'
  readonly name: string
  readonly digest?: string
}

export interface ErrorDetails {
  /** What the operator does next, as an imperative sentence. */
  readonly hint?: string
  readonly subject?: Subject
  /** RFC 6901 pointer into the document, starting with `#`. */
  readonly pointer?: string
  readonly location?: {
    readonly file?: string
    readonly line?: number
    readonly column?: number
    readonly offset?: number
  }
  readonly expected?: string | number
  readonly actual?: string | number
  /** True where the same command may succeed later with nothing changed. */
  readonly retryable?: boolean
  /** Milliseconds that a server asked us to wait. */
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/**
 * The only error class: a stable code, a message that names the action and quotes the values
 * (upper-case start, no full stop), and what to do next.
 */
export class CarryallError extends Error {
  override readonly name = 'CarryallError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.details = details
  }

  get exit(): ExitCode {
    return CODES[this.code]
  }
}

/** True if `error` is ours and, where codes are given, has one of them. */
export function isCarryallError(error: unknown, ...codes: readonly ErrorCode[]): error is CarryallError {
  return error instanceof CarryallError && (codes.length === 0 || codes.includes(error.code))
}
