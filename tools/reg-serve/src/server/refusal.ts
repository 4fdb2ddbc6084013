import { CarryallError, errorObject } from '@carryall/errors'

/** Error codes of distribution-spec, and UNKNOWN for what is not the client's fault. */
export type RefusalCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

/** A request that is answered with an error: status, headers and body of distribution-spec: error codes. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: RefusalCode
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: RefusalCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.status = status
    this.code = code
    this.headers = headers
  }

  get body(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message }] })
  }
}

const KNOWN: Partial<Record<string, readonly [number, RefusalCode]>> = {
  REG_MANIFEST_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
  REG_BLOB_UNKNOWN: [404, 'BLOB_UNKNOWN'],
  REFERENCE_INVALID: [400, 'NAME_INVALID'],
  OUTPUT_NOT_WRITABLE: [405, 'UNSUPPORTED'],
  IO_NO_SPACE: [507, 'UNKNOWN'],
  OS_LIMIT: [503, 'UNKNOWN'],
}

/** What a store throws, as an answer: 404 for what is not there, 507 for a full disk, else 500. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { message } = errorObject(error)
  const [status, code] = (error instanceof CarryallError ? KNOWN[error.code] : undefined) ?? [
    500,
    'UNKNOWN' as const,
  ]
  return new Refusal(status, code, message, {}, error)
}
